"""Several seeds as one figure."""

from __future__ import annotations

import numpy as np
import pytest
from tests.eval.named import named

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics
from seqdis.eval.engine.seeds import mean_over_seeds, over_seeds

VALUES = {3: 0.2, 4: 0.5, 5: 0.9}


def measure(seed: int) -> Metrics:
    value = VALUES[seed]
    found = {"a": Estimate(value=value, chance=value / 2, ci95=(value - 0.1, value + 0.1), n=7)}
    return named(found if seed == 4 else found | {"sometimes": Estimate(value=1.0)})


def test_mean_and_deviation() -> None:
    metric = over_seeds(measure, list(VALUES))["a"]
    values = np.array(list(VALUES.values()))
    assert metric.value == pytest.approx(values.mean())
    assert metric.std == pytest.approx(values.std(ddof=1))
    assert metric.chance == pytest.approx(values.mean() / 2)
    assert metric.ci95 == pytest.approx((values.mean() - 0.1, values.mean() + 0.1))
    assert (metric.seeds, metric.n) == (3, 7)


def test_one_seed_changes_nothing() -> None:
    assert over_seeds(measure, [3]) == measure(3)


def test_what_one_repetition_lacks_is_left_out() -> None:
    assert list(over_seeds(measure, [3, 4])) == ["a"]


def test_repetitions_of_repetitions_count_all() -> None:
    twice = [over_seeds(measure, [3, 5]), over_seeds(measure, [4, 5])]
    assert mean_over_seeds(twice)["a"].seeds == 4


def test_what_no_seed_matters_to_was_measured_once() -> None:
    ridge = named({"mae_ridge": Estimate(value=8.1, ci95=(7.0, 9.0), n=93)})
    assert over_seeds(lambda seed: ridge, [0, 1, 2]) == ridge
    forest = over_seeds(measure, [3, 4, 5])  # the same three forests beside each of two runs
    assert mean_over_seeds([forest, forest]) == forest
    perfect = over_seeds(lambda seed: named({"a": Estimate(value=1.0)}), [0, 1, 2])["a"]
    assert (perfect.value, perfect.std, perfect.seeds) == (1, 0, 3)


def test_repetitions_of_repetitions_are_as_good_as_all_at_once() -> None:
    parts = [over_seeds(measure, [3, 5]), over_seeds(measure, [4])]
    found, whole = mean_over_seeds(parts)["a"], over_seeds(measure, [3, 5, 4])["a"]
    assert (found.value, found.std, found.seeds) == (pytest.approx(whole.value), pytest.approx(whole.std), 3)


def test_an_interval_that_one_lacks_is_dropped() -> None:
    found = mean_over_seeds(
        [named({"a": Estimate(value=1.0, ci95=(0.0, 2.0))}), named({"a": Estimate(value=2.0)})]
    )
    assert found["a"].ci95 is None


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_are_there_once(seeds: list[int]) -> None:
    with pytest.raises(InputError, match="seeds"):
        over_seeds(measure, seeds)
