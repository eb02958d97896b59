"""Charts of lines over one variable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Line", "draw_lines", "line_figure"]


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        title: Text in the legend.
        x: Values on the horizontal axis, rising.
        y: Value at each ``x``; one that is not finite, or that a logarithmic axis cannot show, is left out.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]


def line_figure(
    lines: Sequence[Line], *, title: str, x_name: str, y_name: str, logarithmic: bool = False
) -> Figure:
    """Lines over one variable; the earlier a line, the paler.

    Args:
        lines: The lines, which have at least one point in all.
        title: Text above the chart.
        x_name: Name of the horizontal axis.
        y_name: Name of the vertical axis.
        logarithmic: Whether the vertical axis is logarithmic.

    Raises:
        InputError: There is nothing to draw.
    """
    from matplotlib.figure import Figure  # here, because a training without curves need not wait for it

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
        raise InputError(f"{title}: no point that a chart could show")
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for i, (name, points) in enumerate(kept):
        axes.plot(*zip(*points, strict=True), color="C0", alpha=0.25 + 0.75 * (i + 1) / len(kept), label=name)
    axes.set(title=title, xlabel=x_name, ylabel=y_name, yscale="log" if logarithmic else "linear")
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return figure


def draw_lines(
    path: Path, lines: Sequence[Line], *, title: str, x_name: str, y_name: str, logarithmic: bool = False
) -> None:
    """Save :func:`line_figure` as the kind of picture that the suffix names; it appears whole or not at all.

    Raises:
        InputError: There is nothing to draw.
    """
    figure = line_figure(lines, title=title, x_name=x_name, y_name=y_name, logarithmic=logarithmic)
    with replace_file(path) as partial:
        figure.savefig(partial, format=path.suffix.removeprefix("."))
