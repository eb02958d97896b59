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

_FEW_POINTS = 12


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        title: Text in the legend, which leaves a line without a title out.
        x: Values on the horizontal axis, rising.
        y: Value at each ``x``; one that is not finite, or that a logarithmic axis cannot show, is left out.
        style: Style of the line, one of ``"-"``, ``"--"``, ``":"``.
        color: Colour of the line, as matplotlib names it; the figure's own choice when omitted.
    """

    title: str
    x: Sequence[float]
    y: Sequence[float]
    style: str = "-"
    color: str | None = None


def line_figure(
    lines: Sequence[Line],
    *,
    title: str = "",
    x_name: str = "",
    y_name: str = "",
    logarithmic: bool = False,
    palette: Sequence[str] = (),
    legend: bool = True,
) -> Figure:
    """Lines over one variable; a line of few points shows each of them.

    Args:
        lines: The lines, which have at least one point in all.
        title: Text above the chart.
        x_name: Name of the horizontal axis.
        y_name: Name of the vertical axis.
        logarithmic: Whether the vertical axis is logarithmic.
        palette: The lines' colours, one after the other and again from the first. Without them, the lines are
            moments of one thing: of one colour, paler the earlier.
        legend: Whether the lines' titles stand in the chart.

    Raises:
        InputError: There is nothing to draw.
    """
    # Here, because a training without curves need not wait for them.
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    kept = []
    for line in lines:
        points = [
            (x, y)
            for x, y in zip(line.x, line.y, strict=True)
            if math.isfinite(x) and math.isfinite(y) and (y > 0 or not logarithmic)
        ]
        if points:
            kept.append((line, points))
    if not kept:
        raise InputError(f"{title}: no point that a chart could show")
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for i, (line, points) in enumerate(kept):
        axes.plot(
            *zip(*points, strict=True),
            linestyle=line.style,
            color=line.color or (palette[i % len(palette)] if palette else "C0"),
            alpha=1.0 if palette or line.color else 0.25 + 0.75 * (i + 1) / len(kept),
            marker="o" if len(points) <= _FEW_POINTS and line.title else None,
        )
    axes.set(title=title, xlabel=x_name, ylabel=y_name, yscale="log" if logarithmic else "linear")
    if logarithmic:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("")
    axes.grid(alpha=0.3)
    names = [axes.title, axes.xaxis.label, axes.yaxis.label]
    if legend:
        # Handed over, because a title that begins with an underscore would be left out.
        titled = [
            (drawn, line.title) for drawn, (line, _) in zip(axes.get_lines(), kept, strict=True) if line.title
        ]
        names += axes.legend(*zip(*titled, strict=True), fontsize="small").get_texts() if titled else []
    for text in names:
        text.set_parse_math(False)  # a name is never a formula
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
