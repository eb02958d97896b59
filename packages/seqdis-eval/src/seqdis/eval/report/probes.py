"""The probe heat map of a report: every label read from every factor."""

from __future__ import annotations

from collections.abc import Mapping

from seqdis.core.data.labels import Label
from seqdis.core.factors import SIDES, Side
from seqdis.core.metric import Estimate
from seqdis.eval.report.blocks import HeatCell, HeatMap

__all__ = ["probe_heat_map"]


def probe_heat_map(
    probes: Mapping[tuple[str, Side], Estimate], labels: Mapping[str, Label]
) -> HeatMap | None:
    """Accuracies of probes by label and factor; None where there is none.

    Args:
        probes: Outcomes by the label that is read and the factor that it is read from.
        labels: Labels with the side that each belongs to.
    """
    rows = []
    # What stays first, so that a disentangled model shows two blocks on the diagonal.
    for side in SIDES:
        for name, label in labels.items():
            if label.factor == side and all((name, factor) in probes for factor in SIDES):
                cells = [HeatCell(probes[name, factor], factor == side) for factor in SIDES]
                rows.append((name, side, cells))
    if not rows:
        return None
    return HeatMap(
        "Test accuracy of a linear classifier of each label from each factor; the stronger the colour, the further "
        "above chance. Green is where a label belongs, red where it leaks.",
        SIDES,
        rows,
    )
