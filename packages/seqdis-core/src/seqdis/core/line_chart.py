"""A chart of lines as an SVG file, written without any library: core has none for pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file

__all__ = ["Line", "draw_lines"]

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 110, 34, 52


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        title: Shown at its end.
        x: Where, rising.
        y: As many values; one that is not finite, or that a logarithmic axis cannot show, is left out.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    start: float  # pixels
    end: float
    logarithmic: bool

    def place(self, value: float) -> float:
        low, high = self._scale(self.low), self._scale(self.high)
        return self.start + (self._scale(value) - low) / (high - low) * (self.end - self.start)

    def _scale(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def ticks(self) -> list[float]:
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = max(1, len(powers) // 6)
            return [10.0**p for p in powers if p % every == 0 and self.low <= 10.0**p <= self.high]
        step = 10.0 ** math.floor(math.log10(self.high - self.low))
        step *= next(m for m in (0.2, 0.5, 1, 2) if (self.high - self.low) / (m * step) <= 6)
        first = math.ceil(self.low / step)
        return [i * step for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _axis(values: Sequence[float], start: float, end: float, *, logarithmic: bool) -> _Axis:
    low, high = min(values), max(values)
    if logarithmic:
        low, high = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
        return _Axis(low, high if high > low else 10 * low, start, end, True)
    pad = 0.0 if high > low else max(abs(high), 1.0)
    return _Axis(low - pad, high + pad, start, end, False)


def draw_lines(
    path: Path, lines: Sequence[Line], *, title: str, x_name: str, y_name: str, logarithmic: bool = False
) -> None:
    """Draw lines over one variable; the earlier a line, the paler.

    Args:
        path: The SVG file; it appears whole or not at all.
        lines: At least one point in all of them.
        title: Above the chart.
        x_name: Below it.
        y_name: Beside it.
        logarithmic: Whether y is.

    Raises:
        InputError: There is nothing to draw.
    """
    kept = []
    for line in lines:
        points = [
            (x, y)
            for x, y in zip(line.x, line.y, strict=True)
            if math.isfinite(x) and math.isfinite(y) and (y > 0 or not logarithmic)
        ]
        if points:
            kept.append((line.title, points))
    if not kept:
        raise InputError(f"{path}: no point that a chart could show")
    across = _axis([x for _, points in kept for x, _ in points], _LEFT, _WIDTH - _RIGHT, logarithmic=False)
    up = _axis([y for _, points in kept for _, y in points], _HEIGHT - _BOTTOM, _TOP, logarithmic=logarithmic)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text((_LEFT + _WIDTH - _RIGHT) / 2, 20, title, size=14),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, x_name),
        _text(18, (_TOP + _HEIGHT - _BOTTOM) / 2, y_name, turned=True),
    ]
    for tick in across.ticks():
        at = across.place(tick)
        parts.append(_stroke(at, _TOP, at, _HEIGHT - _BOTTOM))
        parts.append(_text(at, _HEIGHT - _BOTTOM + 16, f"{tick:g}"))
    for tick in up.ticks():
        at = up.place(tick)
        parts.append(_stroke(_LEFT, at, _WIDTH - _RIGHT, at))
        parts.append(_text(_LEFT - 6, at + 4, f"{tick:g}", anchor="end"))
    titled = _apart([up.place(points[-1][1]) for _, points in kept])
    for i, (name, points) in enumerate(kept):
        shade = 0.25 + 0.75 * (i + 1) / len(kept)
        path_of = " ".join(f"{across.place(x):.1f},{up.place(y):.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{path_of}" fill="none" stroke="#1f4e8c" stroke-opacity="{shade:.2f}" stroke-width="2"/>'
        )
        if titled[i] is not None:
            parts.append(_text(across.place(points[-1][0]) + 6, titled[i] or 0.0, name, anchor="start"))
    with replace_file(path) as partial:
        partial.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")


def _apart(heights: Sequence[float]) -> list[float | None]:
    """Where titles go, the last line's first; None for one that would cover another."""
    places: list[float | None] = [None] * len(heights)
    taken: list[float] = []
    for i in range(len(heights) - 1, -1, -1):
        if all(abs(heights[i] - other) >= 13 for other in taken):
            taken.append(heights[i])
            places[i] = heights[i] + 4
    return places


def _text(
    x: float, y: float, text: str, *, size: int = 12, anchor: str = "middle", turned: bool = False
) -> str:
    turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{turn}>{escape(text)}</text>'
    )


def _stroke(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'
