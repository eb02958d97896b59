"""Shapes: moving figures drawn by formula, labelled, at any size; needs no download."""

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

__all__ = ["COUNTS", "LABELS", "SHAPES", "build_shapes", "render_shapes"]

COUNTS = {"train": 4096, "val": 256, "test": 1024}
"""Clips of each split."""

LABELS = {
    "shape": Label(("square", "bar", "post"), "static"),
    "colour": Label(("red", "yellow", "green", "cyan", "blue", "magenta"), "static"),
    "path": Label(("right", "left", "down", "up", "clockwise", "counterclockwise"), "dynamic"),
    "pose": Label(("steady", "growing", "shrinking"), "dynamic"),
}

_COLOURS = np.array(
    [(0.93, 0.16, 0.14), (0.95, 0.86, 0.12), (0.16, 0.80, 0.20), (0.12, 0.82, 0.88), (0.18, 0.28, 0.96), (0.90, 0.18, 0.84)],
    dtype=np.float32,
)  # fmt: skip
_DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)], dtype=np.float32)  # (x, y), y downwards
_POSES = np.array([(0.86, 0.86), (0.54, 1.18), (1.18, 0.54)], dtype=np.float32)  # first and last size
_RADIUS, _REACH = 0.28, 0.21  # of a figure and of its path, in frame sides: 4.5 and 3.4 pixels of 16
_CHUNK = 512  # clips rendered at once


def build_shapes(data: DataConfig, split: str, root: Path | None, seed: int) -> ArraySequences:
    """One split: labels drawn uniformly and independently, and for each clip its own phase, place,
    size, speed, brightness and background.

    Splits and seeds have streams of their own, and the first n clips do not depend on the count.

    Raises:
        InputError: The frame is not ``(3, H, W)`` with at least 12 pixels a side.
    """
    if len(data.frame_shape) != 3 or data.frame_shape[0] != 3 or min(data.frame_shape[1:]) < 12:
        raise InputError(f"dataset 'shapes' draws frames (3, H, W) with H, W ≥ 12; got {data.frame_shape}")
    rng = np.random.default_rng([seed, zlib.crc32(split.encode())])
    # One row of uniform numbers a clip: four labels and eight nuisances.
    draws = rng.random((COUNTS[split], 12), dtype=np.float32)
    sizes = [len(label.classes) for label in LABELS.values()]
    codes = np.minimum((draws[:, :4] * sizes).astype(np.int64), np.array(sizes) - 1)
    height, width = data.frame_shape[1:]
    frames = np.concatenate([
        render_shapes(codes[i : i + _CHUNK], draws[i : i + _CHUNK, 4:], length=data.length, height=height, width=width)
        for i in range(0, len(codes), _CHUNK)
    ])  # fmt: skip
    return ArraySequences(
        torch.from_numpy(frames),
        labels=LABELS,
        label_values={name: torch.from_numpy(codes[:, i].copy()) for i, name in enumerate(LABELS)},
        keys=[f"{split}-{i:05d}" for i in range(len(codes))],
    )


def render_shapes(
    codes: np.ndarray, nuisance: np.ndarray, *, length: int, height: int, width: int
) -> np.ndarray:
    """Draw clips, antialiased by exact distance: coverage = clip(½ − distance in pixels, 0, 1).

    Args:
        codes: Classes of shape, colour, path and pose, ``(N, 4)``.
        nuisance: Uniform draws in [0, 1) of phase, two coordinates, size, speed, timing, brightness and
            background, ``(N, 8)``.
        length: Number of frames, V.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.

    Returns:
        ``(N, V, 3, height, width)`` uint8.
    """
    shape, colour, path, pose = codes.T
    phase, place_x, place_y, size, speed, timing, light, ground = nuisance.astype(np.float32).T
    side = float(min(height, width))
    # Time runs from 0 to 1, with each clip's own speed (±8%) and timing (±4%).
    time = np.linspace(0, 1, length, dtype=np.float32)[None]
    time = 0.5 + (time - 0.5) * (0.92 + 0.16 * speed[:, None]) + 0.08 * (timing[:, None] - 0.5)
    line = _DIRECTIONS[np.minimum(path, 3)][:, None] * (2 * time - 1)[..., None]
    turn = np.where(path == 4, 1.0, -1.0).astype(np.float32)  # with y downwards, a growing angle is clockwise
    angle = 2 * np.pi * (phase[:, None] + turn[:, None] * time * (length - 1) / length)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    offset = np.where((path < 4)[:, None, None], line, circle) * (_REACH * side)  # (N, V, 2)
    centre = np.stack(
        [width / 2 + 0.06 * side * (2 * place_x - 1), height / 2 + 0.06 * side * (2 * place_y - 1)], -1
    )
    position = (centre[:, None] + offset).astype(np.float32)
    first, last = _POSES[pose].T[..., None]
    radius = _RADIUS * side * (0.94 + 0.12 * size[:, None]) * (first + (last - first) * time)  # (N, V)

    xs = (np.arange(width, dtype=np.float32) + 0.5)[None, None, None, :] - position[..., 0, None, None]
    ys = (np.arange(height, dtype=np.float32) + 0.5)[None, None, :, None] - position[..., 1, None, None]
    coverage = np.empty((len(codes), length, height, width), dtype=np.float32)
    for kind in range(len(LABELS["shape"].classes)):
        rows = shape == kind
        distance = _distance(kind, xs[rows], ys[rows], radius[rows][..., None, None].astype(np.float32))
        coverage[rows] = np.clip(0.5 - distance, 0, 1)

    paint = (_COLOURS[colour] * (0.86 + 0.14 * light[:, None]))[:, None, :, None, None]
    back = (0.03 + 0.10 * ground)[:, None, None, None, None].astype(np.float32)
    frames = back + coverage[:, :, None] * (paint - back)
    return np.rint(frames * 255).astype(np.uint8)


def _distance(kind: int, x: np.ndarray, y: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Signed distance in pixels from a figure of radius ``r`` (negative inside), y downwards."""
    # Chosen to differ in where their mass lies, so that eight pixels are enough to tell them apart.
    # Of nearly one area: a size then means the same for every shape, and a swap stays among what exists.
    if kind == 0:  # square
        return np.maximum(np.abs(x), np.abs(y)) - 0.64 * r
    across, along = (np.abs(y), np.abs(x)) if kind == 1 else (np.abs(x), np.abs(y))
    return np.maximum(along - r, across - 0.40 * r)  # bar: lying; post: standing


SHAPES = DatasetSpec(
    name="shapes",
    summary="figures of 3 shapes and 6 colours on 6 paths, steady, growing or shrinking (generated)",
    labels=LABELS,
    build=build_shapes,
)
