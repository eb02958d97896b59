"""Leakage against its formula, written out."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis import ProbeOutcome
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.eval.metrics.factor_leakage import leakage, leakage_of

LABELS = {
    "who": Label(("a", "b"), "static"),
    "hair": Label(("a", "b"), "static"),
    "action": Label(("a", "b"), "dynamic"),
}


def outcome(right: int, chance: float, n: int = 20) -> ProbeOutcome:
    return ProbeOutcome(torch.arange(n) < right, chance)


PROBES = {
    "probe_who_from_static": outcome(20, 0.5),
    "probe_hair_from_static": outcome(20, 0.5),
    "probe_action_from_dynamic": outcome(20, 0.5),
    "probe_who_from_dynamic": outcome(12, 0.5),
    "probe_hair_from_dynamic": outcome(16, 0.4),
    "probe_action_from_static": outcome(4, 0.25),
}


def test_it_is_the_mean_over_the_sides_of_the_means_over_labels() -> None:
    metric = leakage(PROBES, LABELS)
    assert metric.value == pytest.approx(((0.6 + 0.8) / 2 + 0.2) / 2)
    assert metric.chance == pytest.approx(((0.5 + 0.4) / 2 + 0.25) / 2)
    assert metric.n == 20
    assert not metric.higher_is_better


def test_above_chance_counts_a_probe_below_it_as_nothing() -> None:
    metric = leakage(PROBES, LABELS, above_chance=True)
    assert metric.value == pytest.approx((((0.6 - 0.5) / 0.5 + (0.8 - 0.4) / 0.6) / 2 + 0) / 2)
    assert metric.chance == 0
    perfect = {name: outcome(20, 0.3) for name in PROBES}
    assert leakage(perfect, LABELS, above_chance=True).value == pytest.approx(1)
    nothing = {name: outcome(6, 0.3) for name in PROBES}
    assert leakage(nothing, LABELS, above_chance=True).value == pytest.approx(0)


def test_one_factor_alone_is_the_mean_over_the_labels_of_the_other_side() -> None:
    metric = leakage_of("dynamic", "dynamic", PROBES, LABELS)
    assert metric.value == pytest.approx((0.6 + 0.8) / 2)
    assert metric.chance == pytest.approx((0.5 + 0.4) / 2)
    assert leakage_of("static", "static", PROBES, LABELS).value == pytest.approx(0.2)
    both = (metric.value + leakage_of("static", "static", PROBES, LABELS).value) / 2
    assert leakage(PROBES, LABELS).value == pytest.approx(both)
    further = PROBES | {"probe_who_from_gait": outcome(10, 0.5), "probe_hair_from_gait": outcome(20, 0.5)}
    assert leakage_of("gait", "dynamic", further, LABELS).value == pytest.approx(0.75)
    with pytest.raises(InputError, match="probe_who_from_pose was not measured"):
        leakage_of("pose", "dynamic", further, LABELS)


def test_the_interval_is_that_of_a_mean_over_sequences() -> None:
    """Probes that err on the same sequences leave it wider than independent ones would."""
    g = torch.Generator().manual_seed(0)
    same = torch.rand(400, generator=g) < 0.7
    together = {name: ProbeOutcome(same, 0.5) for name in PROBES}
    apart = {name: ProbeOutcome(torch.rand(400, generator=g) < 0.7, 0.5) for name in PROBES}
    widths = []
    for probes in (together, apart):
        low, high = leakage(probes, LABELS).ci95  # type: ignore[misc]
        widths.append(high - low)
    assert widths[0] == pytest.approx(2 * 1.96 * (0.7 * 0.3 / 400) ** 0.5, rel=0.15)
    # Half of one probe and half of the mean of two: a variance of (1 + 1/2)/4.
    assert widths[1] == pytest.approx(widths[0] * (1.5 / 4) ** 0.5, rel=0.15)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InputError, match="no label is dynamic"):
        leakage(PROBES, {"who": LABELS["who"]})
    short = {name: probe for name, probe in PROBES.items() if name != "probe_hair_from_dynamic"}
    with pytest.raises(InputError, match="probe_hair_from_dynamic was not measured"):
        leakage(short, LABELS)
    uneven = PROBES | {"probe_action_from_static": outcome(4, 0.25, n=10)}
    with pytest.raises(InputError, match=r"\[10, 20\] sequences; they must agree"):
        leakage(uneven, LABELS)
