"""Rows at any times as equal steps, beside what pandas makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.resampling import resample


def rows(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    seconds = np.sort(draw.integers(0, 40 * 3600, count))
    values = draw.normal(size=(count, 3))
    values[draw.random(values.shape) < 0.2] = np.nan
    return values, np.datetime64("2024-02-28T05:17", "ns") + seconds.astype("timedelta64[s]")


@pytest.mark.parametrize("freq", ["15min", "1h", "3h", "1D", "MS"])
def test_dates_as_pandas_resamples_them(freq: str) -> None:
    values, times = rows()
    expected = pd.DataFrame(values, index=pd.DatetimeIndex(times)).resample(freq).mean()
    steps = resample(values, times, {}, freq, "x")
    assert (steps.times == expected.index.to_numpy()).all()
    assert np.allclose(steps.values, expected.to_numpy(), equal_nan=True)


def test_numbers_stand_in_their_step_from_the_first_on() -> None:
    values = np.array([[1.0], [3.0], [5.0], [7.0]])
    steps = resample(values, np.array([10.0, 10.4, 10.6, 12.0]), {"act": np.array(list("abcd"))}, 0.5, "x")
    assert steps.times.tolist() == [10.0, 10.5, 11.0, 11.5, 12.0]
    assert steps.values[:, 0].tolist()[:2] == [2.0, 5.0]
    assert np.isnan(steps.values[2:4, 0]).all()
    assert steps.classes["act"].tolist() == ["a", "c", "c", "c", "d"]


def test_equal_steps_stay_what_they_are() -> None:
    values, times = np.random.default_rng(0).normal(size=(1000, 2)), np.arange(1000) * 0.1
    steps = resample(values, times, {}, 0.1, "x")
    assert np.array_equal(steps.values, values)


@pytest.mark.parametrize("freq", ["1H", "60min", "60T", "3600S", "1h"])
def test_a_step_is_spelled_as_people_do(freq: str) -> None:
    values, times = rows()
    assert np.array_equal(
        resample(values, times, {}, freq, "x").values,
        resample(values, times, {}, "1h", "x").values,
        equal_nan=True,
    )


@pytest.mark.parametrize(
    ("times", "freq", "message"),
    [
        (np.array([0.0, 1.0]), "1h", "freq=1h: the times are numbers; allowed: a number in their unit"),
        (np.array([0.0, 1.0]), 0.0, "freq=0.0; allowed: above 0"),
        (np.array(["2024-01-01", "2024-02-01"], dtype="datetime64[ns]"), "-1h", "freq=-1h; allowed: above 0"),
        (np.array(["2024-01-01", "2024-02-01"], dtype="datetime64[ns]"), "0h", "freq=0h; allowed: above 0"),
        (np.array([0.0, 1e9]), 1.0, "freq=1.0 makes 1000000000 steps of 2 rows; allowed: up to 16777216"),
        (
            np.array(["1970-01-01", "2024-01-01"], dtype="datetime64[ns]"),
            "1s",
            "freq=1s makes .* steps of 2 rows",
        ),
        (
            np.array(["1970-01-01", "2024-01-01"], dtype="datetime64[ns]"),
            "often",
            "freq=often: .*allowed: such as 10s",
        ),
    ],
)
def test_steps_that_cannot_be_made(times: np.ndarray, freq: float | str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        resample(np.zeros((2, 1)), times, {}, freq, "x")
