"""The probe heat map of a report: every label read from every factor."""

from __future__ import annotations

from collections.abc import Mapping

from seqdis.core.data.labels import Label
from seqdis.core.factors import SIDES
from seqdis.core.results import Metric
from seqdis.eval.report.blocks import HeatCell, HeatMap

__all__ = ["probe_heat_map"]


def probe_heat_map(metrics: Mapping[str, Metric], labels: Mapping[str, Label]) -> HeatMap | None:
    """Accuracies ``probe_<label>_from_<side>`` by label and factor; None where there is none.

    Args:
        metrics: What :func:`~seqdis.core.analysis.probe_factors` gave; others are left out.
        labels: Which side each label belongs to.
    """
    rows = []
    # What stays first, so that a disentangled model shows two blocks on the diagonal.
    for side in SIDES:
        for name, label in labels.items():
            keys = [f"probe_{name}_from_{factor}" for factor in SIDES]
            if label.factor == side and all(key in metrics for key in keys):
                cells = [HeatCell(metrics[k], f == side) for k, f in zip(keys, SIDES, strict=True)]
                rows.append((name, side, cells))
    if not rows:
        return None
    return HeatMap(
        "Test accuracy of a linear classifier of each label from each factor; the stronger the colour, the further "
        "above chance. Green is where a label belongs, red where it leaks.",
        SIDES,
        rows,
    )
