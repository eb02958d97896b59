"""Line charts of a report, as SVG in the colours of the page."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from seqdis.core.errors import InputError
from seqdis.core.line_chart import Line, line_figure

__all__ = ["Chart"]

_LOG_FROM = 12.0
"""Ratio of the largest to the smallest value from which on the scale is logarithmic."""

# Drawn in a colour that nothing else has, then replaced by the page's own, which know light and dark.
_INK = {"#010203": "var(--muted)", "#010204": "var(--line)"}
_PALETTE = {f"#01020{5 + i}": name for i, name in enumerate(("static", "dynamic", "c2", "c3", "c4"))}
_PALETTE["#01020a"] = "c5"
_COLOURS = _INK | {colour: f"var(--{name})" for colour, name in _PALETTE.items()}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@dataclass(frozen=True)
class Chart:
    """Lines over one axis; the vertical scale is logarithmic where positive values span a wide range.

    Attributes:
        title: The text below the lines, before the legend.
        x_name: The name of the horizontal axis.
        lines: Lines, at least one; each has at least one point.
        linear: Never logarithmic; the legend then names the lines alone, for their last values say nothing.

    Raises:
        InputError: There is no point, or one is not finite.
    """

    title: str
    x_name: str
    lines: Sequence[Line]
    linear: bool = False
    template: ClassVar[str] = "chart.html"

    def __post_init__(self) -> None:
        values = [value for line in self.lines for value in (*line.x, *line.y)]
        if not values or not all(map(math.isfinite, values)):
            raise InputError(f"chart {self.title!r}: needs points, all of them finite")

    @property
    def is_log(self) -> bool:
        """Whether the vertical scale is logarithmic."""
        y = [value for line in self.lines for value in line.y]
        return not self.linear and min(y) > 0 and max(y) / min(y) > _LOG_FROM

    @cached_property
    def drawing(self) -> str:
        """The axes and the lines, the inside of an ``<svg>`` element of :attr:`view_box`."""
        return self._svg[1]

    @property
    def view_box(self) -> str:
        """The part of the plane that the drawing fills: ``"left top width height"``."""
        return self._svg[0]

    @cached_property
    def _svg(self) -> tuple[str, str]:
        import matplotlib as mpl

        figure = line_figure(
            self.lines, x_name=self.x_name, logarithmic=self.is_log, palette=list(_PALETTE), legend=False
        )
        (axes,) = figure.axes
        ink, grid = _INK
        axes.tick_params(which="both", color=grid, labelcolor=ink, labelsize=11)
        axes.xaxis.label.set(color=ink, size=11)
        axes.spines[:].set_visible(False)
        axes.grid(visible=True, color=grid, alpha=1)
        buffer = io.StringIO()
        # The salt makes the names of an element's parts the same each time, and others in another chart.
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"{self.title} {self.description}"}):
            figure.savefig(buffer, format="svg", transparent=True, metadata=_NO_METADATA)
        text = buffer.getvalue()
        box, inside = re.search(r'<svg [^>]*viewBox="([^"]+)"[^>]*>(.*)</svg>', text, re.DOTALL).groups()  # type: ignore[union-attr]
        inside = re.sub(r"<metadata>.*?</metadata>|<style .*?</style>", "", inside, flags=re.DOTALL)
        used = set(re.findall(r'#([\w-]+)["\')]', inside))
        inside = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", inside)
        return box, re.sub("|".join(_COLOURS), lambda m: _COLOURS[m[0]], inside).strip()

    @property
    def description(self) -> str:
        """The lines in words."""
        if self.linear:
            return "; ".join(
                f"{line.title} between {min(line.y):.3g} and {max(line.y):.3g}" for line in self.lines
            )
        return "; ".join(
            f"{line.title} from {line.y[0]:.3g} to {line.y[-1]:.3g}, at best {min(line.y):.3g}"
            for line in self.lines
        )
