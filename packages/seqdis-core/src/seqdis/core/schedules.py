"""Values that move with the training step: pure functions of it, so that resuming loses nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from seqdis.core.errors import InputError

__all__ = ["ExponentialDecay", "InStages", "Ramp", "RampKind", "ValueSchedule", "ramp_problem"]

RampKind = Literal["linear", "geometric", "harmonic"]
"""How a ramp goes from one value to the next."""

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
    """A ramp from one value to another, straight or by way of values in between, then constant.

    ``v_k = f⁻¹(f(a) + (f(b) − f(a))·p)`` with ``p = min(1, k / (steps − 1))``, and ``f`` the identity (equal
    differences, linear), the logarithm (equal ratios, geometric) or the reciprocal (equal differences of ``1/v``,
    harmonic). With values in between, each piece goes so from one to the next (VDSM, Sec. 3.2: the KL weights of both
    stages).

    Attributes:
        start: ``a``, at step 0.
        end: ``b``, at step ``steps − 1`` and later.
        steps: Number of steps, at least 1; a ramp of one step is at its end.
        kind: ``"linear"``, ``"geometric"`` or ``"harmonic"``.
        via: Values in between as ``(share of the steps, value)``, shares rising between 0 and 1.

    Raises:
        InputError: There is no step, a ramp that is not linear has a value that is not positive, or shares do not rise.
    """

    start: float
    end: float
    steps: int
    kind: RampKind = "linear"
    via: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"a ramp of {self.steps} steps; allowed: 1 or more")
        problem = ramp_problem(self.start, self.end, self.kind, self.via)
        if problem is not None:
            raise InputError(problem)

    def __call__(self, step: int) -> float:
        """The value at ``step``, counted from 0."""
        part = min(1.0, max(0, step) / (self.steps - 1)) if self.steps > 1 else 1.0
        if part == 1.0:
            return self.end
        knots = [(0.0, self.start), *self.via, (1.0, self.end)]
        (left, a), (right, b) = next(pair for pair in itertools.pairwise(knots) if part < pair[1][0])
        inside = (part - left) / (right - left)
        if self.kind == "linear":
            return a + (b - a) * inside
        if self.kind == "harmonic":
            return 1 / (1 / a + (1 / b - 1 / a) * inside)
        return float(a * (b / a) ** inside)


def ramp_problem(start: float, end: float, kind: RampKind, via: Sequence[tuple[float, float]]) -> str | None:
    """Describe in one line why the values make no ramp; None where they make one.

    Args:
        start: Value at its first step.
        end: Value at its last step.
        kind: Kind of the ramp.
        via: Values in between as ``(share, value)``.
    """
    if kind != "linear" and min([start, end, *(value for _, value in via)]) <= 0:
        values = " to ".join(str(value) for value in [start, *(value for _, value in via), end])
        return f"a {kind} ramp from {values}; allowed: all above 0"
    shares = [0.0, *(share for share, _ in via), 1.0]
    if any(a >= b for a, b in itertools.pairwise(shares)):
        return f"a ramp via the shares {shares[1:-1]}; allowed: rising, above 0 and below 1"
    return None


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
