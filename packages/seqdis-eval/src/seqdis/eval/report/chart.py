"""Line charts, laid out here and drawn by a template as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from seqdis.core.errors import InputError

__all__ = ["Chart", "Line", "nice_ticks"]

_LOG_FROM = 12.0
"""Ratio of the largest to the smallest value from which on the scale is logarithmic."""


@dataclass(frozen=True)
class Line:
    """Points ``(x, y)``, x ascending."""

    name: str
    points: Sequence[tuple[float, float]]


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers in ``[low, high]``, steps of 1, 2 or 5 times a power of ten, about ``count`` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for parts in ((1,), (1, 3), (1, 2, 5)):
        found = [part * 10.0**d for d in decades for part in parts if low <= part * 10.0**d <= high]
        if len(found) >= 3:
            return found
    return found


@dataclass(frozen=True)
class Chart:
    """Lines over one axis; the vertical scale is logarithmic where positive values span a wide range.

    Attributes:
        title: What is shown.
        x_name: Of the horizontal axis.
        lines: At least one, each with at least one point.
        linear: Never logarithmic; the legend then names the lines alone, for their last values say nothing.

    Raises:
        InputError: There is no point, or one is not finite.
    """

    title: str
    x_name: str
    lines: Sequence[Line]
    linear: bool = False
    template: ClassVar[str] = "chart.html"
    width: ClassVar[int] = 560
    height: ClassVar[int] = 280
    left: ClassVar[int] = 54
    right: ClassVar[int] = 14
    top: ClassVar[int] = 12
    bottom: ClassVar[int] = 40

    def __post_init__(self) -> None:
        values = [value for line in self.lines for point in line.points for value in point]
        if not values or not all(map(math.isfinite, values)):
            raise InputError(f"chart {self.title!r}: needs points, all of them finite")

    @cached_property
    def _bounds(self) -> tuple[float, float, float, float]:
        x, y = zip(*(point for line in self.lines for point in line.points), strict=True)
        low, high = min(y), max(y)
        if self.is_log:
            return min(x), max(x), low / 1.1, high * 1.1
        room = 0.05 * (high - low) or abs(high) * 0.1 or 1.0
        return min(x), max(x), low - room, high + room

    @cached_property
    def is_log(self) -> bool:
        """Whether the vertical scale is logarithmic."""
        y = [value for line in self.lines for _, value in line.points]
        return not self.linear and min(y) > 0 and max(y) / min(y) > _LOG_FROM

    def x(self, value: float) -> float:
        """Where a value stands, in pixels from the left."""
        low, high, *_ = self._bounds
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.left + share * (self.width - self.left - self.right), 1)

    def y(self, value: float) -> float:
        """Where a value stands, in pixels from the top."""
        *_, low, high = self._bounds
        if self.is_log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        share = (value - low) / (high - low)
        return round(self.height - self.bottom - share * (self.height - self.top - self.bottom), 1)

    def path(self, line: Line) -> str:
        """The ``points`` of an SVG polyline."""
        return " ".join(f"{self.x(x)},{self.y(y)}" for x, y in line.points)

    @property
    def x_ticks(self) -> list[float]:
        """Round numbers on the horizontal axis."""
        low, high, *_ = self._bounds
        return nice_ticks(low, high)

    @property
    def y_ticks(self) -> list[float]:
        """Round numbers on the vertical axis."""
        *_, low, high = self._bounds
        return _log_ticks(low, high) if self.is_log else nice_ticks(low, high)

    @property
    def description(self) -> str:
        """The lines in words."""
        if self.linear:
            return "; ".join(
                f"{line.name} between {min(y for _, y in line.points):.3g} and {max(y for _, y in line.points):.3g}"
                for line in self.lines
            )
        return "; ".join(
            f"{line.name} from {line.points[0][1]:.3g} to {line.points[-1][1]:.3g}, "
            f"at best {min(y for _, y in line.points):.3g}"
            for line in self.lines
        )
