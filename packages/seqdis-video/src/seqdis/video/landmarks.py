"""Distances between face landmarks, which are read from a landmark detector's file."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.npy_files import Arrays
from seqdis.core.reading import readable

__all__ = ["landmark_distances", "read_landmarks"]

# Upper and lower points of the iBUG 300-W markup of 68 landmarks, counted from 0.
_PAIRS = {
    "left eyelids": ((37, 41), (38, 40)),
    "right eyelids": ((43, 47), (44, 46)),
    "lips": ((61, 67), (62, 66), (63, 65)),
}
_EYES = (slice(36, 42), slice(42, 48))


def landmark_distances(points: Tensor) -> Tensor:
    """Distances of eyelids and of lips over the distance of the eyes (S3VAE, Sec. 4.2, Fig. 3b).

    Args:
        points: The 68 landmarks of 300-W in any unit, ``(T, 68, 2)``.

    Returns:
        Distances of the left eyelids, the right eyelids and the lips, ``(T, 3)``.

    Raises:
        InputError: The shape is another, a coordinate is not finite, or the eyes coincide.
    """
    if points.ndim != 3 or points.shape[1:] != (68, 2):
        raise InputError(f"landmarks of shape {tuple(points.shape)}; allowed: (T, 68, 2)")
    points = points.double()
    left, right = (points[:, eye].mean(1) for eye in _EYES)
    between = torch.linalg.vector_norm(left - right, dim=1)
    if not bool(torch.isfinite(points).all()) or bool((between == 0).any()):
        raise InputError("landmarks: a coordinate is not finite, or both eyes are at one place")
    apart = [
        torch.stack([torch.linalg.vector_norm(points[:, a] - points[:, b], dim=1) for a, b in pairs]).mean(0)
        for pairs in _PAIRS.values()
    ]
    return (torch.stack(apart, dim=1) / between[:, None]).float()


def read_landmarks(path: Path, key: str, steps: int) -> Tensor:
    """The landmarks of one recording, ``(steps, 68, 2)``.

    Args:
        path: An npz file with one array a recording, named by its key.
        key: The name of the recording.
        steps: Number of frames of the recording.

    Raises:
        InputError: The file cannot be read, has no such recording, or has another number of frames of it.
    """
    with readable(path, "npz of landmarks"):
        arrays = _open(path, path.stat().st_mtime_ns)
        if key not in arrays:
            raise InputError(
                f"{path}: has no landmarks of {key!r}; it has {len(arrays)} recordings, "
                f"such as {', '.join(map(repr, list(arrays)[:3])) or 'none'}"
            )
        points = torch.from_numpy(np.asarray(arrays[key], dtype=np.float32))
    if len(points) != steps:
        raise InputError(f"{path}: landmarks of {len(points)} frames of {key!r}, which has {steps}")
    return points


@functools.lru_cache(maxsize=2)
def _open(path: Path, modified: int) -> Arrays:
    return Arrays(path)
