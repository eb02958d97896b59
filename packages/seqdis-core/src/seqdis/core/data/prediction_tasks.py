"""Prediction tasks of a dataset: a yes or no for a sequence, or a number for each window of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from seqdis.core.config import DataConfig

__all__ = ["Outcome", "Quantity"]


@dataclass(frozen=True)
class Outcome:
    """A label of two classes, the second of which is to be predicted; the label has the outcome's name.

    Attributes:
        window: Number of steps that a predictor reads at a time.
    """

    window: int


@dataclass(frozen=True)
class Quantity:
    """A number that is no channel of the frames, one for each window of a sequence.

    Attributes:
        unit: Unit of the number.
        window: Number of steps that one number belongs to, W.
        values: A function ``values(data, split, root, seed)`` that gives the numbers, ``(N, V // W)``; rows
            go with the sequences that the dataset's ``build`` makes of the same arguments.
    """

    unit: str
    window: int
    values: Callable[[DataConfig, str, Path | None, int], Tensor]
