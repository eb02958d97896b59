"""Clips behind an image autoencoder, coded once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdis.core.analysis.encode_data import encode_data
from seqdis.core.config import CodecConfig, RunConfig, apply_overrides
from seqdis.core.data.latent_cache import open_latents
from seqdis.core.errors import InputError
from seqdis.core.registry import get_preset
from seqdis.core.training.plan import build_splits
from seqdis.core.training.run import train
from seqdis.video import VideoModality

VIDEO = VideoModality()
SMALL = [
    "frame_shape=[3,32,32]", "length=4", "codec.name=autoencoder", "encoder.channels=8", "denoiser.channels=8",
    "encoder.attention=[]", "denoiser.attention=[]", "static_dim=8", "dynamic_dim=4", "hidden_dim=16",
    "train.steps=3", "log_every=1", "eval_every=3", "batch_size=4", "precision=fp32",
]  # fmt: skip


def autoencoder(folder: Path, *, seed: int = 0, **sizes: Any) -> Path:
    diffusers = pytest.importorskip(
        "diffusers", reason="diffusers is absent: it comes with seqdis-video[latent]"
    )
    torch.manual_seed(seed)
    settings: dict[str, Any] = {
        "block_out_channels": (8, 8, 8),
        "down_block_types": ("DownEncoderBlock2D",) * 3,
        "up_block_types": ("UpDecoderBlock2D",) * 3,
        "latent_channels": 4,
        "norm_num_groups": 4,
    }
    diffusers.AutoencoderKL(**(settings | sizes)).eval().save_pretrained(folder)
    return folder


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Ten clips of 3 to 6 frames, of another size than the model's."""
    g = torch.Generator().manual_seed(0)
    (tmp_path / "clips").mkdir()
    data = get_preset("diffsda-video").data
    for i in range(10):
        coarse = torch.rand(3 + i % 4, 3, 6, 8, generator=g)
        frames = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")
        VIDEO.write(tmp_path / "clips" / f"{i}.mp4", frames, data)
    return tmp_path / "clips"


def config(codec: Path) -> RunConfig:
    return apply_overrides(get_preset("diffsda-video"), [*SMALL, f"codec.path={codec}"])


def test_training_on_latents_is_training_on_clips(clips: Path, tmp_path: Path) -> None:
    codec = autoencoder(tmp_path / "codec")
    encoded = encode_data(config(codec), clips, tmp_path / "latents", device="cpu", batch_size=2)
    assert encoded is not None
    assert encoded.cache.latent_shape == (4, 8, 8)
    assert encoded.frames == sum(3 + i % 4 for i in range(10))
    losses = []
    for root in (clips, tmp_path / "latents"):
        out = tmp_path / f"run-{root.name}"
        train(config(codec), out, data=root, device="cpu", show_progress=False)
        lines = map(json.loads, (out / "log.jsonl").read_text().splitlines())
        losses.append([line[name] for line in lines for name in ("loss", "val_loss") if name in line])
    assert len(losses[0]) == 4
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)
    assert (tmp_path / "run-clips" / "config.json").read_bytes() == (
        tmp_path / "run-latents" / "config.json"
    ).read_bytes()


def test_frames_of_another_kind_are_refused(clips: Path, tmp_path: Path) -> None:
    codec = autoencoder(tmp_path / "codec")
    encode_data(config(codec), clips, tmp_path / "latents", device="cpu")
    for words, message in (
        (["options.fit=pad"], "frames with data.options.fit='crop'; the run says 'pad'"),
        (["frame_shape=[3,64,64]"], r"frames with data.frame_shape=\[3,32,32\]; the run says \[3,64,64\]"),
        ([f"codec.path={autoencoder(tmp_path / 'other', seed=1)}"], "holds latents of other weights"),
    ):
        with pytest.raises(InputError, match=message):
            build_splits(apply_overrides(config(codec), words), tmp_path / "latents")
    assert build_splits(config(codec), tmp_path / "latents").train.coded
    assert open_latents(tmp_path / "latents").std.shape == (4,)


def test_a_fingerprint_is_that_of_weights_and_sizes(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        return VIDEO.codec(CodecConfig(name="autoencoder", path=str(folder))).fingerprint()

    one = autoencoder(tmp_path / "one")
    assert fingerprint(one) == fingerprint(autoencoder(tmp_path / "copy"))
    assert fingerprint(one) != fingerprint(autoencoder(tmp_path / "seed", seed=1))
    # The same weights under another activation are another codec.
    assert fingerprint(one) != fingerprint(autoencoder(tmp_path / "other", act_fn="relu"))
