"""Values that move with the training step: pure functions of it, so that resuming loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seqdis.core.errors import InputError

__all__ = ["ExponentialDecay", "ValueSchedule"]

ValueSchedule = Callable[[int], float]
"""The value at a step, counted from 0."""


@dataclass(frozen=True)
class ExponentialDecay:
    """``v_k = max(end, start·factor^k)`` (BCD's temperature, Tab. A7: 1.5 to 0.1 by 0.9999972 a step).

    Attributes:
        start: Value at step 0.
        end: Its floor.
        factor: In (0, 1].

    Raises:
        InputError: The factor is outside (0, 1], or not ``0 < end <= start``.
    """

    start: float
    end: float
    factor: float

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1 or not 0 < self.end <= self.start:
            raise InputError(
                f"a decay from {self.start} to {self.end} by {self.factor} a step; "
                "allowed: 0 < end <= start and a factor in (0, 1]"
            )

    def __call__(self, step: int) -> float:
        """The value at ``step``, counted from 0."""
        return max(self.end, self.start * self.factor**step)
