"""The accuracy of swaps over the rate of the codes, drawn (BCD, Tab. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.results import Metric

__all__ = ["draw_rate_curve"]

_X = "entropy_bits"


def draw_rate_curve(path: Path, metrics: Mapping[str, Metric]) -> None:
    """Draw every ``swap_<label>_accuracy@<case>`` over its case's ``entropy_bits``, and chance as a thin line.

    Raises:
        InputError: There are no such metrics.
    """
    from matplotlib.figure import Figure  # here: a command's help must not wait for it

    cases = [name.partition("@")[2] for name in metrics if name.startswith(f"{_X}@")]
    cases.sort(key=lambda case: metrics[f"{_X}@{case}"].value)
    first = [n.partition("@")[0] for n in metrics if n.startswith("swap_") and n.endswith(f"@{cases[0]}")]
    if not first:
        raise InputError(f"{path}: no swap was judged: there is no curve to draw")
    figure = Figure(figsize=(6.4, 4), dpi=150, layout="constrained")
    axes = figure.subplots()
    x = [metrics[f"{_X}@{case}"].value for case in cases]
    for number, name in enumerate(first):
        found = [metrics[f"{name}@{case}"] for case in cases]
        colour, whole = f"C{number}", name.split("_")[1] in ("static", "dynamic", "joint")
        label = name.removeprefix("swap_").removesuffix("_accuracy")
        axes.plot(x, [m.value for m in found], "o-" if whole else ".--", color=colour, label=label)
        if all(m.chance is not None for m in found):
            axes.plot(x, [m.chance or 0.0 for m in found], ":", color=colour, linewidth=0.7)
    for place, case in zip(x, cases, strict=True):
        axes.annotate(case, (place, 1.02), rotation=45, fontsize=7, annotation_clip=False)
    axes.set(
        xlabel="entropy of held-out codes (bits a frame)", ylabel="swaps that a judge sees right", ylim=(0, 1)
    )
    axes.legend(fontsize=7, ncols=2)
    with replace_file(path) as partial:
        figure.savefig(partial, format="png")
