"""The meaning of a dataset's integer labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from seqdis.core.sequences import NO_CLASS

__all__ = ["Label", "class_names", "label_of"]


@dataclass(frozen=True)
class Label:
    """The meaning of an integer label.

    Attributes:
        classes: The name of each value, in order.
        factor: The side that ought to hold it: ``"static"`` (identity) or ``"dynamic"`` (motion).
    """

    classes: tuple[str, ...]
    factor: Literal["static", "dynamic"]


def label_of(texts: Iterable[str], factor: Literal["static", "dynamic"]) -> Label:
    """The label whose classes are those that occur, in order; numbers in names count as numbers, so 10 follows 9."""
    return Label(tuple(sorted(set(texts), key=_natural)), factor)


def _natural(text: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", text)]


def class_names(label: Label, numbers: np.ndarray) -> np.ndarray:
    """The names of classes in place of their numbers; no name for a step that does not exist.

    Args:
        label: The meaning of the numbers.
        numbers: Numbers of classes of any shape, -1 where a step does not exist.
    """
    # The last one is what -1 selects.
    return np.array([*label.classes, ""], dtype=np.str_)[np.where(numbers == NO_CLASS, -1, numbers)]
