"""The latent codec over real, tiny diffusers autoencoders that the tests build."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from seqdis.core.config import CodecConfig
from seqdis.core.errors import InputError
from seqdis.video import VideoModality

_SIZES: dict[str, Any] = {
    "block_out_channels": (8, 8, 8, 8),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
    "norm_num_groups": 4,
}


def _save(kind: str, folder: Path) -> Any:
    diffusers = pytest.importorskip(
        "diffusers", reason="diffusers is absent: it comes with seqdis-video[latent]"
    )
    extra = {"num_vq_embeddings": 16, "vq_embed_dim": 4} if kind == "VQModel" else {}
    model = getattr(diffusers, kind)(**_SIZES, **extra).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["VQModel", "AutoencoderKL"])
def test_it_does_what_the_autoencoder_does(tmp_path: Path, kind: str) -> None:
    model = _save(kind, tmp_path)
    codec = VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    assert codec.latent_shape((3, 256, 256)) == (4, 32, 32)
    x = torch.rand(3, 3, 32, 32)
    latents = codec.encode(x)
    with torch.no_grad():
        coded = model.encode(x * 2 - 1)
        expected = coded.latents if kind == "VQModel" else coded.latent_dist.mean
        decoded = model.decode(expected).sample
    torch.testing.assert_close(latents, expected)
    torch.testing.assert_close(codec.decode(latents), (decoded * 0.5 + 0.5).clamp(0, 1))


def test_it_is_frozen_and_its_memory_bound_changes_nothing(tmp_path: Path) -> None:
    _save("AutoencoderKL", tmp_path)
    codec = VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path))).train()
    assert not codec.training
    assert not any(p.requires_grad for p in codec.parameters())
    x = torch.rand(5, 3, 16, 16)
    whole = codec.encode(x)
    codec.frames_per_pass = 2  # type: ignore[assignment]
    torch.testing.assert_close(codec.encode(x), whole)
    torch.testing.assert_close(codec.decode(whole)[3:], codec.decode(whole[3:]))


def test_frames_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    _save("AutoencoderKL", tmp_path)
    codec = VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    with pytest.raises(InputError, match=r"sides divisible by 8; got \(3, 60, 64\)"):
        codec.latent_shape((3, 60, 64))


def test_missing_weights_say_which_file_goes_where(tmp_path: Path) -> None:
    video = VideoModality()
    with pytest.raises(
        InputError, match=r"needs codec\.path=FOLDER; the folder must hold config\.json and"
    ) as error:
        video.codec(CodecConfig(name="autoencoder"))
    assert "hf download" in str(error.value)
    with pytest.raises(InputError, match=r"config\.json is missing; the folder must hold"):
        video.codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "AutoencoderKL"}))
    with pytest.raises(InputError, match=r"diffusion_pytorch_model\.safetensors is missing"):
        video.codec(CodecConfig(name="autoencoder", path=str(tmp_path)))


def test_other_models_damaged_files_and_unknown_codecs_are_refused(tmp_path: Path) -> None:
    video = VideoModality()
    weights = tmp_path / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(b"nothing of the kind")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json: cannot be read as JSON"):
        video.codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "UNet2DModel"}))
    with pytest.raises(InputError, match="holds a 'UNet2DModel'; allowed: AutoencoderKL, VQModel"):
        video.codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    with pytest.raises(InputError, match="unknown codec of video 'vqvae'; allowed: autoencoder, identity"):
        video.codec(CodecConfig(name="vqvae"))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    _save("AutoencoderKL", tmp_path)
    weights = tmp_path / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(InputError, match=r"codec 'autoencoder': .* cannot be loaded") as error:
        VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["nan", "int8"])
def test_weights_that_are_not_finite_numbers_are_refused_by_the_tensor(tmp_path: Path, kind: str) -> None:
    _save("AutoencoderKL", tmp_path)
    path = tmp_path / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    name = "encoder.conv_in.bias"
    tensors[name] = tensors[name] * torch.nan if kind == "nan" else tensors[name].to(torch.int8)
    save_file(tensors, path)
    with pytest.raises(
        InputError, match=rf"\.safetensors: {name}(: \d+ of \d+ values are NaN| is of type int8)"
    ):
        VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path)))


def test_without_diffusers_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "VQModel"}))
    (tmp_path / "diffusion_pytorch_model.safetensors").touch()
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "diffusers":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match=r"needs diffusers: python -m pip install 'seqdis-video\[latent\]'"):
        VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path)))


@pytest.mark.parametrize("kind", ["VQModel", "AutoencoderKL"])
def test_gradients_pass_through_a_frozen_codec_where_they_are_asked_for(tmp_path: Path, kind: str) -> None:
    _save(kind, tmp_path)
    codec = VideoModality().codec(CodecConfig(name="autoencoder", path=str(tmp_path)))
    x = torch.rand(3, 3, 16, 16, requires_grad=True)
    latents = codec.encode(x)
    codec.decode(latents).sum().backward()
    assert x.grad is not None
    assert x.grad.flatten(1).abs().amax(1).min() > 0
    with torch.no_grad():
        assert not codec.decode(latents).requires_grad
    assert all(p.grad is None for p in codec.parameters())
