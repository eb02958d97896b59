"""waves: six generated channels whose static and dynamic factors are known."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec
from seqdis.core.random import mix_seed

__all__ = ["CHANNELS", "WAVES", "wave_sequences"]

CHANNELS = 6

# Orthogonal to all wirings, so that a single step tells both (unless the course passes through 0).
_LEVELS = {  # the resting value of each channel
    "saw": (1.0, 0.0, -1.0, 1.0, 0.0, -1.0),
    "counter-saw": (-1.0, 0.0, 1.0, -1.0, 0.0, 1.0),
    "valley": (1.0, -1.0, 0.0, 0.0, -1.0, 1.0),
    "ridge": (-1.0, 1.0, 0.0, 0.0, 1.0, -1.0),
}
# None is negative: a course and its mirror image (rise and fall) then differ alike under every wiring.
_WIRINGS = {  # how far each channel follows the one hidden course
    "left": (1.0, 1.0, 1.0, 0.2, 0.2, 0.2),
    "right": (0.2, 0.2, 0.2, 1.0, 1.0, 1.0),
    "even": (1.0, 0.2, 1.0, 0.2, 1.0, 0.2),
    "odd": (0.2, 1.0, 0.2, 1.0, 0.2, 1.0),
}
_COURSES = ("rise", "fall", "bump", "dip", "swing", "chirp")

LABELS = {
    "level": Label(tuple(_LEVELS), "static"),
    "wiring": Label(tuple(_WIRINGS), "static"),
    "course": Label(_COURSES, "dynamic"),
}

_SIZES = {"train": 2048, "val": 256, "test": 512}


def _course(kind: int, time: Tensor, shift: Tensor, width: Tensor) -> Tensor:
    """``f(t)`` in [-1, 1] for one kind: ``time (V,)`` in [0, 1], ``shift, width (n, 1)`` in [-1, 1]."""
    ramp = torch.tanh((time - 0.5 - 0.15 * shift) * (6 + 2 * width))
    hump = 2 * torch.exp(-(((time - 0.5 - 0.2 * shift) / (0.12 + 0.04 * width)) ** 2)) - 1
    swing = torch.sin(2 * math.pi * (2 + 0.2 * width) * (time + 0.05 * shift))
    chirp = torch.sin(2 * math.pi * ((1 + 0.2 * shift) * time + (3.5 + 0.5 * width) * time**2))
    return (ramp, -ramp, hump, -hump, swing, chirp)[kind]


def wave_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """``x_c(t) = level_c + wiring_c · a · f_course(t) + noise``, for six channels c.

    Level and wiring are static and can be read off single steps; the course is one hidden curve
    in time, with its amplitude a, centre and width drawn for each sequence. All combinations are
    drawn alike in every split.

    Raises:
        InputError: Other than six channels are asked for.
    """
    if data.frame_shape != (CHANNELS,):
        raise InputError(f"dataset 'waves' has frames of shape ({CHANNELS},); got {data.frame_shape}")
    count = _SIZES[split]
    g = torch.Generator().manual_seed(mix_seed(seed, list(_SIZES).index(split)))
    label_values = {
        name: torch.randint(len(label.classes), (count,), generator=g) for name, label in LABELS.items()
    }
    shift, width, scale = (2 * torch.rand(3, count, 1, generator=g) - 1).unbind()
    time = torch.linspace(0, 1, data.length)
    curve = torch.stack([_course(k, time, shift, width) for k in range(len(_COURSES))], dim=1)
    curve = (1 + 0.2 * scale) * curve[torch.arange(count), label_values["course"]]
    level = torch.tensor(list(_LEVELS.values()))[label_values["level"]]
    wiring = torch.tensor(list(_WIRINGS.values()))[label_values["wiring"]]
    x = level[:, None] + wiring[:, None] * curve[..., None]
    x += 0.05 * torch.randn(x.shape, generator=g)
    return ArraySequences(x, labels=LABELS, label_values=label_values)


WAVES = DatasetSpec(
    "waves",
    "generated: level and wiring of six channels x the course of one hidden curve",
    LABELS,
    wave_sequences,
)
