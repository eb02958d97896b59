"""Values that move with the training step: pure functions of it, so that resuming loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from seqdis.core.errors import InputError

__all__ = ["ExponentialDecay", "InStages", "Ramp", "ValueSchedule"]

ValueSchedule = Callable[[int], float]
"""The value at a step, counted from 0."""


@dataclass(frozen=True)
class ExponentialDecay:
    """``v_k = max(end, start·factor^k)`` (BCD's temperature, Tab. A7: 1.5 to 0.1 by 0.9999972 a step).

    Attributes:
        start: Value at step 0.
        end: The lowest value, at which the decay stops.
        factor: Factor by which the value changes at each step, in (0, 1].

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


@dataclass(frozen=True)
class Ramp:
    """A ramp from one value to another in equal differences (linear) or ratios (geometric), then constant.

    ``v_k = a + (b − a)·p`` or ``a·(b/a)^p`` with ``p = min(1, k / (steps − 1))``
    (VDSM, Sec. 3.2: the KL weights of both stages).

    Attributes:
        start: ``a``, at step 0.
        end: ``b``, at step ``steps − 1`` and later.
        steps: Number of steps, at least 1; a ramp of one step is at its end.
        kind: ``"linear"`` or ``"geometric"``.

    Raises:
        InputError: There is no step, or a geometric ramp has an end that is not positive.
    """

    start: float
    end: float
    steps: int
    kind: Literal["linear", "geometric"] = "linear"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"a ramp of {self.steps} steps; allowed: 1 or more")
        if self.kind == "geometric" and min(self.start, self.end) <= 0:
            raise InputError(f"a geometric ramp from {self.start} to {self.end}; allowed: both above 0")

    def __call__(self, step: int) -> float:
        """The value at ``step``, counted from 0."""
        part = min(1.0, max(0, step) / (self.steps - 1)) if self.steps > 1 else 1.0
        if part == 1.0:
            return self.end
        if self.kind == "linear":
            return self.start + (self.end - self.start) * part
        return float(self.start * (self.end / self.start) ** part)


@dataclass(frozen=True)
class InStages:
    """Schedules one after the other, each with its own clock; a value keeps its end until the next one begins.

    Attributes:
        parts: ``(first step, schedule)`` in order; before the first one the value is that at its beginning.
    """

    parts: Sequence[tuple[int, Ramp]]

    def __call__(self, step: int) -> float:
        """The value at ``step``, counted from 0."""
        first, schedule = self.parts[0]
        for begin, part in self.parts[1:]:
            if step >= begin:
                first, schedule = begin, part
        return schedule(step - first)
