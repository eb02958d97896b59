"""The place in a file that lends its dynamics to a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["DynamicsSource"]


@dataclass(frozen=True)
class DynamicsSource:
    """The steps of a file whose dynamics a sequence has, for what goes along with them: their sound and their rate.

    Attributes:
        path: The path of the file.
        start: The first of its steps.
    """

    path: Path
    start: int = 0
