"""The part of a recording between the silence before and after it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError

__all__ = ["SoundingPart", "sounding_part"]

WINDOW_S = 0.02
"""Seconds over which the power is averaged."""


@dataclass(frozen=True)
class SoundingPart:
    """The samples ``[first, last)`` between the silence before and after a sound."""

    first: int
    last: int


def sounding_part(sound: Sound, *, silence_db: float = 40.0, margin: float = 0.1) -> SoundingPart:
    """The part of a sound from its first to its last window that is not silent, with a margin on both sides.

    A window of 20 ms, ``[i · w, (i + 1) · w)``, is silent where its mean power ``Σ x² / w`` lies more than
    ``silence_db`` below that of the loudest, so that a recording's level does not matter. Pauses in between stay.
    Where all of it is equally loud, zeros included, nothing is silent.

    Args:
        sound: The sound that is looked at.
        silence_db: Distance to the loudest window, in decibels.
        margin: Seconds that are kept around the sounding part.

    Raises:
        InputError: The sound is empty, or an argument is out of range.
    """
    if not len(sound.samples):
        raise InputError("a sound to trim needs samples; got none")
    if silence_db <= 0 or margin < 0 or not math.isfinite(silence_db + margin):
        raise InputError(
            f"silence_db is {silence_db} and margin {margin}; allowed: above 0, and 0 or more seconds"
        )
    power = _window_powers(sound.samples, width := max(1, round(WINDOW_S * sound.rate)))
    loud = (power >= power.max() * 10 ** (-silence_db / 10)).nonzero().flatten()
    around = round(margin * sound.rate)
    return SoundingPart(
        max(0, int(loud[0]) * width - around), min(len(sound.samples), (int(loud[-1]) + 1) * width + around)
    )


def _window_powers(samples: Tensor, width: int) -> Tensor:
    """Mean power of windows side by side; the last one may be shorter."""
    squares = torch.nn.functional.pad(samples.double().square(), (0, -len(samples) % width))
    sums = squares.view(-1, width).sum(1)
    counts = torch.full_like(sums, width)
    counts[-1] = len(samples) - (len(sums) - 1) * width
    return sums / counts
