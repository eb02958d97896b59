"""AutoencoderCodec: a frozen image autoencoder between frames and the method (DiffSDA, App. B.2)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from seqdis.core.codec import FrameCodec
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.reading import read_json, read_tensors, readable

__all__ = ["AutoencoderCodec", "load_autoencoder"]

_CLASSES = ("AutoencoderKL", "VQModel")
_FILES = ("config.json", "diffusion_pytorch_model.safetensors")
_HOW = (
    f"the folder must hold {_FILES[0]} and {_FILES[1]} of a diffusers {' or '.join(_CLASSES)}: either a "
    "download (hf download stabilityai/sd-vae-ft-mse --local-dir FOLDER) or what its save_pretrained wrote"
)


class AutoencoderCodec(FrameCodec):
    """Frames ``(N, 3, H, W)`` in [0, 1] to latents ``(N, C, H/f, W/f)``, and back.

    ``z = E(2x − 1)``, the mode where the autoencoder is variational and the value before
    quantisation where it is discrete; ``x = (G(z) + 1) / 2``, quantised first where it is discrete.
    The paper's is the VQ model of Rombach et al. 2022 with f=8, Z=256, C=4 ("vq-f8-n256" in the
    CompVis latent-diffusion model zoo, converted to diffusers).

    Args:
        autoencoder: A diffusers ``AutoencoderKL`` or ``VQModel``.
        frames_per_pass: Number of frames passed at a time, which bounds memory and does not change results.
    """

    def __init__(self, autoencoder: Any, *, frames_per_pass: int = 32) -> None:
        super().__init__()
        self.autoencoder = autoencoder.eval().requires_grad_(False)
        self.frames_per_pass = frames_per_pass

    @property
    def factor(self) -> int:
        """The number of a frame's pixels along a side for one of the latent's, f."""
        return int(2 ** (len(self.autoencoder.config.block_out_channels) - 1))

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode, for the codec is frozen."""
        return super().train(False)

    def latent_shape(self, frame_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(frame_shape) != 3 or frame_shape[1] % self.factor or frame_shape[2] % self.factor:
            raise InputError(
                f"the autoencoder needs frames (3, H, W) with sides divisible by {self.factor}; got {frame_shape}"
            )
        channels = int(self.autoencoder.config.latent_channels)
        return (channels, frame_shape[1] // self.factor, frame_shape[2] // self.factor)

    def fingerprint(self) -> str:
        sizes = {k: v for k, v in self.autoencoder.config.items() if not k.startswith("_")}
        key = json.dumps([super().fingerprint(), sizes], sort_keys=True, default=str)
        return hashlib.sha256(key.encode()).hexdigest()

    def encode(self, frames: Tensor) -> Tensor:
        parts = []
        for part in frames.split(self.frames_per_pass):
            coded = self.autoencoder.encode(2 * part - 1)
            parts.append(coded.latents if hasattr(coded, "latents") else coded.latent_dist.mode())
        return torch.cat(parts)

    def decode(self, latents: Tensor) -> Tensor:
        parts = [self.autoencoder.decode(part).sample for part in latents.split(self.frames_per_pass)]
        return ((torch.cat(parts) + 1) / 2).clamp(0, 1)


def load_autoencoder(path: str | None) -> AutoencoderCodec:
    """Load the codec from a local folder; nothing is downloaded and nothing is unpickled.

    Args:
        path: The folder of the autoencoder, ``codec.path`` of the run.

    Raises:
        InputError: The path is missing or a file is not there (says which file goes where), the
            folder holds another kind of model, diffusers is not installed, or a weight is not of a floating type or
            not finite.
    """
    if path is None:
        raise InputError(f"codec 'autoencoder' needs codec.path=FOLDER; {_HOW}")
    folder = Path(path)
    for name in _FILES:
        if not (folder / name).is_file():
            raise InputError(f"codec 'autoencoder': {folder / name} is missing; {_HOW}")
    config = read_json(folder / _FILES[0])
    kind = config.get("_class_name") if isinstance(config, dict) else type(config).__name__
    if kind not in _CLASSES:
        raise InputError(f"codec 'autoencoder': {folder} holds a {kind!r}; allowed: {', '.join(_CLASSES)}")
    try:
        import diffusers
    except ImportError as error:
        message = "codec 'autoencoder' needs diffusers: python -m pip install 'seqdis-video[latent]'"
        raise InputError(message) from error
    _check_weights(folder / _FILES[1])
    with readable(folder, "codec 'autoencoder'"):
        model = getattr(diffusers, kind).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
        )
    return AutoencoderCodec(model)


def _check_weights(path: Path) -> None:
    try:
        tensors = read_tensors(path)
    except InputError as error:
        first = str(error).splitlines()[0]
        raise InputError(f"codec 'autoencoder': {path.parent} cannot be loaded: {first}") from error
    for name, value in tensors.items():
        if not value.is_floating_point():
            kind = str(value.dtype).removeprefix("torch.")
            raise InputError(f"{path}: {name} is of type {kind}; allowed: a floating type")
        check_finite(value.float(), f"{path}: {name}")
