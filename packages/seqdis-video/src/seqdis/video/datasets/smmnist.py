"""Stochastic Moving MNIST (Denton & Fergus 2018): two digits that bounce off the walls in random directions."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.limits import allowed_content, check_claim
from seqdis.core.modality import DatasetSpec
from seqdis.core.reading import readable

__all__ = ["COUNTS", "LABELS", "SMMNIST", "bounce", "build_smmnist", "read_idx"]

COUNTS = {"train": 5000, "test": 1000}
"""Sequences that S3VAE generates (Sec. 5.1.1); the last 500 of its training ones are ours to validate."""
_VALIDATE = 500

# Which of the two digits is first means nothing: sorted by value, the pair has one name.
LABELS = {
    name: Label(tuple(str(i) for i in range(10)), "static") for name in ("smaller_digit", "larger_digit")
}

_SOURCE = "the four idx files of MNIST (LeCun et al. 1998), gzipped or not"
_PREFIXES = {"train": "train", "test": "t10k"}
_SIDE, _DIGIT, _DIGITS, _SPEED = 64, 32, 2, 4  # pixels, pixels, digits a frame, pixels a step at most


def read_idx(path: Path, *, dims: int) -> np.ndarray:
    """Read an idx file of bytes, as MNIST comes: ``0, 0, 8, dims``, the sizes as big-endian uint32, the data.

    Args:
        path: The file; where there is none, the same with ``.gz`` behind it.
        dims: Number of dimensions that the data must have.

    Raises:
        InputError: The file is missing, damaged, or no such idx file.
    """
    file = path if path.is_file() else path.with_name(path.name + ".gz")
    with readable(file, "an idx file", hint=f"; it is one of {_SOURCE}"):
        size = file.stat().st_size
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as opened:
            content = opened.read(allowed_content(size) + 1)
        check_claim(file, len(content), size, what="bytes or more")
    if len(content) < 4 * (1 + dims) or content[:4] != bytes([0, 0, 8, dims]):
        raise InputError(f"{file}: is no idx file of bytes with {dims} dimensions")
    sizes = np.frombuffer(content, ">u4", dims, 4).tolist()
    values = np.frombuffer(content, np.uint8, offset=4 * (1 + dims))
    if len(values) != math.prod(sizes):
        raise InputError(f"{file}: holds {len(values)} values; its header says {sizes}")
    return values.reshape(sizes)


def build_smmnist(data: DataConfig, split: str, root: Path | None, seed: int) -> ArraySequences:
    """One split, of any length; test sequences are made of MNIST's test digits.

    Frames are grey, of 64×64 pixels, or 32×32, where every pixel is the mean of four; with three
    channels they repeat.

    Raises:
        InputError: The frame is of another shape, or MNIST is not there.
    """
    channels, *sides = data.frame_shape
    if channels not in (1, 3) or sides not in ([_SIDE, _SIDE], [_SIDE // 2, _SIDE // 2]):
        raise InputError(
            f"dataset 'smmnist' has frames (1 or 3, 64, 64) or (1 or 3, 32, 32); got {data.frame_shape}"
        )
    if root is None:
        raise InputError(f"dataset 'smmnist' needs its folder, which holds {_SOURCE}")
    part = "test" if split == "test" else "train"
    images = read_idx(root / f"{_PREFIXES[part]}-images-idx3-ubyte", dims=3)
    digits = read_idx(root / f"{_PREFIXES[part]}-labels-idx1-ubyte", dims=1)
    if len(images) != len(digits):
        raise InputError(f"{root}: {len(images)} images and {len(digits)} labels of MNIST's {part} set")

    rng = np.random.default_rng([seed, zlib.crc32(part.encode())])
    # A row of uniform numbers a sequence and digit: which one, its place, its speed, and three for each
    # step, should it meet a wall there.
    draws = rng.random((COUNTS[part], _DIGITS, 5 + 3 * data.length), dtype=np.float32)
    first, last = {
        "train": (0, COUNTS["train"] - _VALIDATE),
        "val": (COUNTS["train"] - _VALIDATE, COUNTS["train"]),
        "test": (0, COUNTS["test"]),
    }[split]
    draws = draws[first:last]
    chosen = np.minimum((draws[..., 0] * len(images)).astype(np.int64), len(images) - 1)
    positions = bounce(draws[..., 1:], length=data.length)
    frames = _render(images, chosen, positions)
    if sides[0] == _SIDE // 2:
        frames = frames.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).float().mean((3, 5)).round().byte()
    named = np.sort(digits[chosen].astype(np.int64), axis=1)
    return ArraySequences(
        frames[:, :, None].expand(-1, -1, channels, -1, -1),
        labels=LABELS,
        label_values={name: torch.from_numpy(named[:, i].copy()) for i, name in enumerate(LABELS)},
        keys=[f"{split}-{i:04d}" for i in range(len(chosen))],
    )


def bounce(draws: np.ndarray, *, length: int) -> np.ndarray:
    """The positions of digits that keep their velocity until they meet a wall, and then draw a new one.

    Velocities are whole pixels a step, from −4 to 4 along each axis; the one away from a wall is
    from 1 to 4.

    Args:
        draws: Uniform draws in [0, 1): two for the position, two for the velocity, and three a step (both
            velocities, and the speed away from the wall), ``(…, 4 + 3·length)``.
        length: Number of steps.

    Returns:
        Upper left corners (row, column), ``(…, length, 2)``, each in [0, 32].
    """
    highest = _SIDE - _DIGIT
    position = np.floor(draws[..., :2] * highest).astype(np.int64)
    velocity = _whole(draws[..., 2:4], -_SPEED, _SPEED)
    positions = []
    for step in range(length):
        positions.append(position.copy())
        position = position + velocity
        fresh = draws[..., 4 + 3 * step : 7 + 3 * step]
        low, high = position < 0, position > highest
        hit = (low | high).any(-1, keepdims=True)
        velocity = np.where(hit, _whole(fresh[..., :2], -_SPEED, _SPEED), velocity)
        away = _whole(fresh[..., 2:], 1, _SPEED)
        velocity = np.where(low, away, np.where(high, -away, velocity))
        position = position.clip(0, highest)
    return np.stack(positions, axis=-2)


def _whole(uniform: np.ndarray, low: int, high: int) -> np.ndarray:
    return np.minimum(np.floor(uniform * (high - low + 1)).astype(np.int64) + low, high)


def _render(images: np.ndarray, chosen: np.ndarray, positions: np.ndarray) -> Tensor:
    """Digits of 32×32 pixels, added up to white: ``(N, V, 64, 64)`` uint8."""
    used, index = np.unique(chosen, return_inverse=True)
    small = torch.from_numpy(images[used].astype(np.float32))[:, None]
    large = torch.nn.functional.interpolate(
        small, size=(_DIGIT, _DIGIT), mode="bilinear", align_corners=False
    )
    figures = large[:, 0].round().byte().numpy().astype(np.uint16)
    canvas = np.zeros((*positions.shape[0:1], positions.shape[2], _SIDE, _SIDE), dtype=np.uint16)
    for clip, which, ways in zip(canvas, index.reshape(chosen.shape), positions, strict=True):
        for figure, way in zip(figures[which], ways, strict=True):
            for frame, (row, column) in zip(clip, way, strict=True):
                frame[row : row + _DIGIT, column : column + _DIGIT] += figure
    return torch.from_numpy(np.minimum(canvas, 255).astype(np.uint8))


SMMNIST = DatasetSpec(
    name="smmnist",
    summary="Stochastic Moving MNIST: two bouncing digits, 64x64 or 32x32, any length",
    labels=LABELS,
    build=build_smmnist,
    folder="mnist",
    source=_SOURCE,
    licence="CC BY-SA 3.0",
    credit="MNIST, LeCun, Cortes and Burges",
)
