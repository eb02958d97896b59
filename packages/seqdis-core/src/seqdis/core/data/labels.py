"""The meaning of a dataset's integer labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Label"]


@dataclass(frozen=True)
class Label:
    """The meaning of an integer label.

    Attributes:
        classes: The name of each value, in order.
        factor: The side that ought to hold it: ``"static"`` (identity) or ``"dynamic"`` (motion).
    """

    classes: tuple[str, ...]
    factor: Literal["static", "dynamic"]
