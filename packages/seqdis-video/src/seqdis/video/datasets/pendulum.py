"""Pendulum: a coloured bob on a rod that swings slowly or fast, drawn by formula; needs no download."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import torch

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec

__all__ = ["COUNTS", "LABELS", "PENDULUM", "PERIODS", "bob_positions", "build_pendulum"]

COUNTS = {"train": 2048, "val": 256, "test": 512}
"""Clips of each split."""

LABELS = {
    "colour": Label(("red", "orange", "yellow", "green", "cyan", "blue", "magenta"), "static"),
    "speed": Label(("slow", "fast"), "dynamic"),
}

PERIODS = np.array([16.0, 8.0])
"""Frames of a swing to and fro, by speed."""

_COLOURS = np.array(
    [(0.90, 0.10, 0.10), (0.95, 0.55, 0.10), (0.95, 0.90, 0.15), (0.15, 0.80, 0.20), (0.10, 0.80, 0.85), (0.20, 0.30, 0.95), (0.90, 0.20, 0.85)],
    dtype=np.float32,
)  # fmt: skip
_ROD = np.float32(0.55)  # brightness of the rod
_PIVOT, _LENGTH, _RADIUS, _HALF_WIDTH = 0.15, 0.52, 0.12, 0.02  # in frame sides
_AMPLITUDES = (0.5, 0.8)  # radians, to each side of the plumb line


def bob_positions(speed: np.ndarray, phase: np.ndarray, amplitude: np.ndarray, length: int) -> np.ndarray:
    """The bob's positions under ``θ^τ = A cos(2π (τ/T + φ))``, the swing of a pendulum at small angles.

    Args:
        speed: Class of the speed, ``(N,)``.
        phase: Phase ``φ`` in [0, 1), ``(N,)``.
        amplitude: Amplitude ``A`` in radians, ``(N,)``.
        length: Number of frames, V.

    Returns:
        ``(N, V, 2)``: x to the right and y downwards, in frame sides, from the frame's upper left corner.
    """
    time = np.arange(length)[None] / PERIODS[speed][:, None] + phase[:, None]
    angle = amplitude[:, None] * np.cos(2 * np.pi * time)
    return np.stack([0.5 + _LENGTH * np.sin(angle), _PIVOT + _LENGTH * np.cos(angle)], axis=-1)


def build_pendulum(data: DataConfig, split: str, root: Path | None, seed: int) -> ArraySequences:
    """One split: colour and speed drawn uniformly and independently, each clip with its own phase and amplitude.

    Splits and seeds have streams of their own, and the first n clips do not depend on the count.

    Raises:
        InputError: The frame is not ``(3, H, H)`` with at least 12 pixels a side.
    """
    if len(data.frame_shape) != 3 or data.frame_shape[0] != 3 or data.frame_shape[1] != data.frame_shape[2]:
        raise InputError(f"dataset 'pendulum' draws square frames (3, H, H); got {data.frame_shape}")
    if data.frame_shape[1] < 12:
        raise InputError(f"dataset 'pendulum' needs 12 pixels a side or more; got {data.frame_shape}")
    rng = np.random.default_rng([seed, zlib.crc32(split.encode())])
    draws = rng.random((COUNTS[split], 4))  # one row a clip: colour, speed, phase, amplitude
    colour, speed = (
        (draws[:, i] * len(label.classes)).astype(np.int64) for i, label in enumerate(LABELS.values())
    )
    low, high = _AMPLITUDES
    positions = bob_positions(speed, draws[:, 2], low + (high - low) * draws[:, 3], data.length)
    side = data.frame_shape[1]
    frames = np.stack(
        [_draw(_COLOURS[c], p.astype(np.float32), side) for c, p in zip(colour, positions, strict=True)]
    )
    return ArraySequences(
        torch.from_numpy(frames),
        labels=LABELS,
        label_values={"colour": torch.from_numpy(colour), "speed": torch.from_numpy(speed)},
        keys=[f"{split}-{i:05d}" for i in range(len(frames))],
    )


def _draw(colour: np.ndarray, positions: np.ndarray, side: int) -> np.ndarray:
    """One clip ``(V, 3, side, side)`` uint8, antialiased by distance: coverage = clip(½ − distance in pixels, 0, 1)."""
    axis = (np.arange(side, dtype=np.float32) + 0.5) / side
    y, x = axis[None, :, None] - np.float32(_PIVOT), axis[None, None, :] - np.float32(0.5)
    along_x, along_y = ((positions - np.array([0.5, _PIVOT], np.float32)) / np.float32(_LENGTH)).T[
        ..., None, None
    ]
    along = np.clip(x * along_x + y * along_y, 0, _LENGTH)  # the nearest point of the rod
    rod = np.hypot(x - along * along_x, y - along * along_y) - _HALF_WIDTH
    bob = np.hypot(x - _LENGTH * along_x, y - _LENGTH * along_y) - _RADIUS
    rod, bob = (np.clip(0.5 - d * side, 0, 1)[:, None] for d in (rod, bob))
    frames = bob * colour[:, None, None] + (1 - bob) * rod * _ROD
    return np.rint(frames * 255).astype(np.uint8)


PENDULUM = DatasetSpec(
    name="pendulum",
    summary="a pendulum of 7 colours that swings at 2 speeds (generated)",
    labels=LABELS,
    build=build_pendulum,
)
