"""Times go on, in equal steps; the first place where they do not is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.time_steps import (
    TimeStep,
    check_order,
    check_spacing,
    steady_step,
    time_step,
    unit_of_numbers,
)

ROWS = np.arange(100)


def dates(freq: str, count: int = 40) -> np.ndarray:
    return pd.date_range("2023-12-20", periods=count, freq=freq).to_numpy("datetime64[ns]")


@pytest.mark.parametrize(
    ("freq", "size", "unit"),
    [
        ("15min", 15, "min"),
        ("1h", 1, "h"),
        ("1D", 1, "d"),
        ("1s", 1, "s"),
        ("20ms", 20, "ms"),
        ("90min", 90, "min"),
    ],
)
def test_the_step_of_dates_has_a_unit(freq: str, size: float, unit: str) -> None:
    assert time_step(dates(freq)) == steady_step(dates(freq), "date") == TimeStep(size, unit)


def test_the_step_of_numbers_has_the_unit_that_the_column_names() -> None:
    times = np.arange(10) * 0.5
    assert time_step(times) == TimeStep(0.5, None)
    for column, unit in (("Time (s)", "s"), ("time_ms", "ms"), ("hours", "h"), ("time", None), ("t", None)):
        assert unit_of_numbers(times, column) == unit
    assert steady_step(times, "seconds") == TimeStep(0.5, "s")
    assert steady_step(times, "time") is None
    assert unit_of_numbers(times + 1700000000, "time") == "s"
    assert unit_of_numbers(times * 1000 + 1.7e12, "time") == "ms"


@pytest.mark.parametrize("freq", ["1h", "1D", "MS", "ME", "QS", "YS", "B", "W", "1s"])
def test_clocks_and_calendars_are_regular(freq: str) -> None:
    times = dates(freq)
    check_order(times, ROWS, "x", "date")
    check_spacing(times, ROWS, "x", "date")


def test_months_are_no_steady_step() -> None:
    assert steady_step(dates("MS"), "date") is None


def test_rounded_times_are_regular() -> None:
    check_spacing(np.round(np.arange(100) / 30, 3), ROWS, "x", "t")
    check_spacing(np.arange(100) + np.random.default_rng(0).uniform(-0.04, 0.04, 100), ROWS, "x", "t")


@pytest.mark.parametrize("at", [1, 17, 39])
def test_the_first_time_that_goes_back_or_comes_again_is_named(at: int) -> None:
    times = np.arange(40.0)
    times[at] = times[at - 1]
    with pytest.raises(
        InputError, match=f"'t' is {at - 1}.0 in data row {at + 1}, as in data row {at}; .*freq=1 "
    ):
        check_order(times, ROWS, "x", "t")
    times[at] = -5
    with pytest.raises(
        InputError, match=f"'t' is -5.0 in data row {at + 1}, before .* in data row {at}; .*sort=true"
    ):
        check_order(times, ROWS, "x", "t")


def test_the_first_gap_is_named_with_the_step_that_fills_it() -> None:
    times = np.delete(dates("1h"), [7, 20, 21])
    message = r"from 2023-12-20 06:00:00 to 2023-12-20 08:00:00 in data row 8, most steps are 1h; .*freq=1h \(resampled"
    with pytest.raises(InputError, match=message):
        check_spacing(times, ROWS, "x", "date")
    with pytest.raises(InputError, match=r"freq=0.5"):
        check_spacing(np.array([0, 1, 2, 2.5, 3.5, 4.5]), ROWS, "x", "t")
