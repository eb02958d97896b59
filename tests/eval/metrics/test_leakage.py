"""Leakage against its formula, written out."""

from __future__ import annotations

import pytest

from seqdis.core.data.sequence import Label
from seqdis.core.errors import InputError
from seqdis.core.results import Metric
from seqdis.eval.metrics.leakage import leakage

LABELS = {
    "who": Label(("a", "b"), "static"),
    "hair": Label(("a", "b"), "static"),
    "action": Label(("a", "b"), "dynamic"),
}
PROBES = {
    "probe_who_from_static": Metric(value=1.0, chance=0.5, n=10),
    "probe_hair_from_static": Metric(value=1.0, chance=0.5, n=10),
    "probe_action_from_dynamic": Metric(value=1.0, chance=0.5, n=10),
    "probe_who_from_dynamic": Metric(value=0.6, chance=0.5, n=10),
    "probe_hair_from_dynamic": Metric(value=0.8, chance=0.4, n=10),
    "probe_action_from_static": Metric(value=0.3, chance=0.25, n=8),
}


def test_it_is_the_mean_over_the_sides_of_the_means_over_labels() -> None:
    metric = leakage(PROBES, LABELS)
    assert metric.value == pytest.approx(((0.6 + 0.8) / 2 + 0.3) / 2)
    assert metric.chance == pytest.approx(((0.5 + 0.4) / 2 + 0.25) / 2)
    assert metric.n == 8
    assert not metric.higher_is_better


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="no label is dynamic"):
        leakage(PROBES, {"who": LABELS["who"]})
    short = {name: metric for name, metric in PROBES.items() if name != "probe_hair_from_dynamic"}
    with pytest.raises(InputError, match="probe_hair_from_dynamic was not measured"):
        leakage(short, LABELS)
