"""The accuracy of swaps over the rate of the codes, drawn (BCD, Tab. 3)."""

from __future__ import annotations

from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES
from seqdis.core.files import replace_file
from seqdis.core.line_chart import Line, line_figure
from seqdis.core.metric import Metrics

__all__ = ["draw_rate_curve"]

_X = "entropy_bits"


def draw_rate_curve(path: Path, metrics: Metrics) -> None:
    """Draw every swap accuracy over its case's ``entropy_bits``, and chance as a thin line.

    Raises:
        InputError: There are no such metrics.
    """
    by_case = metrics.by_case()
    cases = sorted((c for c, own in by_case.items() if _X in own), key=lambda c: by_case[c][_X].value)
    swaps = [metric.name for metric in by_case[cases[0]].values() if metric.role == "swap"] if cases else []
    if not swaps:
        raise InputError(f"{path}: no swap was judged: there is no curve to draw")
    wholes = [f"swap_{part}_accuracy" for part in (*SIDES, "joint")]
    x, lines = [by_case[case][_X].value for case in cases], list[Line]()
    for number, name in enumerate(swaps):
        points = [by_case[case][name] for case in cases]
        title, style, color = name.replace("_", " "), "-" if name in wholes else "--", f"C{number}"
        lines.append(Line(title, x, [m.value for m in points], style, color))
        if all(m.chance is not None for m in points):
            lines.append(Line("", x, [m.chance or 0.0 for m in points], ":", color))
    figure = line_figure(
        lines, x_name="entropy of held-out codes (bits a frame)", y_name="swaps that a judge sees right"
    )
    axes = figure.axes[0]
    axes.set(ylim=(0, 1))
    for rate, case in zip(x, cases, strict=True):
        axes.annotate(case, (rate, 1.02), rotation=45, fontsize=7, annotation_clip=False)
    with replace_file(path) as partial:
        figure.savefig(partial, format="png", dpi=150)
