from __future__ import annotations

import math
from itertools import pairwise

import pytest

from seqdis.core.errors import InputError
from seqdis.eval.report.chart import Chart, Line, nice_ticks


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 3000), (-0.37, 0.41), (99.2, 101.1), (1e-7, 9e-7), (0, 17)]
)
def test_ticks_are_round_inside_and_evenly_spaced(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert low - 1e-12 <= ticks[0]
    assert ticks[-1] <= high + 1e-12
    steps = [b - a for a, b in pairwise(ticks)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    mantissa = steps[0] / 10 ** math.floor(math.log10(steps[0] * (1 + 1e-9)))
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6


def test_one_value_has_one_tick() -> None:
    assert nice_ticks(3.0, 3.0) == [3.0]


@pytest.mark.parametrize("values", [(1.0, 0.7, 0.4), (10.0, 1.0, 0.01), (-1.0, 0.0, 2.0), (2.0, 2.0, 2.0)])
def test_points_lie_inside_and_keep_their_order(values: tuple[float, ...]) -> None:
    chart = Chart("loss", "step", [Line("a", [(i * 10.0, v) for i, v in enumerate(values)])])
    places = [(chart.x(i * 10.0), chart.y(v)) for i, v in enumerate(values)]
    assert all(chart.left <= x <= chart.width - chart.right for x, _ in places)
    assert all(chart.top <= y <= chart.height - chart.bottom for _, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    # Pixels count from the top: what is larger stands higher.
    for (_, y), (_, other), v, w in zip(places, places[1:], values, values[1:], strict=False):
        assert (y < other) == (v > w)
    assert all(chart.top <= chart.y(t) <= chart.height - chart.bottom for t in chart.y_ticks)


def test_a_wide_range_of_positive_values_is_logarithmic() -> None:
    wide = Chart("loss", "step", [Line("a", [(0, 10.0), (1, 1.0), (2, 0.1)])])
    assert wide.is_log
    # Equal ratios are equal distances.
    assert wide.y(0.1) - wide.y(1.0) == pytest.approx(wide.y(1.0) - wide.y(10.0), abs=0.2)
    assert len(wide.y_ticks) >= 3
    assert not Chart("loss", "step", [Line("a", [(0, 10.0), (1, 0.0)])]).is_log
    assert not Chart("loss", "step", [Line("a", [(0, 2.0), (1, 1.0)])]).is_log


def test_the_description_says_what_the_lines_do() -> None:
    chart = Chart("loss", "step", [Line("training", [(0, 1.0), (1, 0.2), (2, 0.25)])])
    assert chart.description == "training from 1 to 0.25, at best 0.2"


@pytest.mark.parametrize("points", [[], [(0.0, math.nan)], [(math.inf, 1.0)]])
def test_nothing_to_draw_is_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(InputError, match=r"chart 'loss': needs points, all of them finite"):
        Chart("loss", "step", [Line("a", points)])
