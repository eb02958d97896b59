"""The accuracy of swaps over the rate of the codes, drawn (BCD, Tab. 3)."""

from __future__ import annotations

from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES
from seqdis.core.files import replace_file
from seqdis.core.metric import Metrics

__all__ = ["draw_rate_curve"]

_X = "entropy_bits"


def draw_rate_curve(path: Path, metrics: Metrics) -> None:
    """Draw every swap accuracy over its case's ``entropy_bits``, and chance as a thin line.

    Raises:
        InputError: There are no such metrics.
    """
    from matplotlib.figure import Figure  # here: a command's help must not wait for it

    by_case = metrics.by_case()
    cases = sorted((c for c, own in by_case.items() if _X in own), key=lambda c: by_case[c][_X].value)
    swaps = [metric.name for metric in by_case[cases[0]].values() if metric.role == "swap"] if cases else []
    if not swaps:
        raise InputError(f"{path}: no swap was judged: there is no curve to draw")
    wholes = [f"swap_{part}_accuracy" for part in (*SIDES, "joint")]
    figure = Figure(figsize=(6.4, 4), dpi=150, layout="constrained")
    axes = figure.subplots()
    x = [by_case[case][_X].value for case in cases]
    for number, name in enumerate(swaps):
        points = [by_case[case][name] for case in cases]
        colour, whole = f"C{number}", name in wholes
        axes.plot(
            x, [m.value for m in points], "o-" if whole else ".--", color=colour, label=name.replace("_", " ")
        )
        if all(m.chance is not None for m in points):
            axes.plot(x, [m.chance or 0.0 for m in points], ":", color=colour, linewidth=0.7)
    for rate, case in zip(x, cases, strict=True):
        axes.annotate(case, (rate, 1.02), rotation=45, fontsize=7, annotation_clip=False)
    axes.set(
        xlabel="entropy of held-out codes (bits a frame)", ylabel="swaps that a judge sees right", ylim=(0, 1)
    )
    axes.legend(fontsize=7, ncols=2)
    with replace_file(path) as partial:
        figure.savefig(partial, format="png")
