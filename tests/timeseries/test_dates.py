"""Times of steps: every usual way of writing one, and those that can be read in two ways."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.date_texts import looks_like_a_time
from seqdis.timeseries.dates import dates_of_unix_times, is_clock, join_times, read_times

STARTS = datetime(2024, 1, 28, 22, 30)
MOMENTS = [STARTS + timedelta(hours=7 * i) for i in range(30)]


def expected(moments: list[datetime]) -> np.ndarray:
    return np.array(moments, dtype="datetime64[ns]")


@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M", "%Y.%m.%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y  %H:%M:%S",
        "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d-%m-%Y %H.%M", "%m/%d/%Y %I:%M %p", "%d-%b-%Y %H:%M", "%d %B %Y %H:%M",
        "%b %d, %Y %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.%f", "%d.%m.%Y, %H:%M",
    ],
)  # fmt: skip
def test_usual_forms_of_dates(written: str) -> None:
    texts = pd.Series([moment.strftime(written) for moment in MOMENTS])
    assert looks_like_a_time(texts[0])
    assert (read_times(texts, "x") == expected(MOMENTS)).all()
    if "Z" not in written:
        assert (read_times(texts, "x", date_format=written) == expected(MOMENTS)).all()


def test_days_and_months_without_a_clock() -> None:
    days = [datetime(2023, 12, 30) + timedelta(days=i) for i in range(5)]
    for written in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"):
        texts = pd.Series([day.strftime(written) for day in days])
        cells = texts.astype(int) if written == "%Y%m%d" else texts
        assert (read_times(cells, "x") == expected(days)).all()
    months = [datetime(2023, month, 1) for month in (10, 11, 12)]
    assert (read_times(pd.Series(["2023-10", "2023-11", "2023-12"]), "x") == expected(months)).all()


def test_time_zones_are_taken_to_utc() -> None:
    texts = pd.Series(["2024-03-31T00:30+01:00", "2024-03-31T01:30+0100", "2024-03-31 03:30+02:00"])
    hours = [datetime(2024, 3, 30, 23, 30) + timedelta(hours=i) for i in range(3)]
    assert (read_times(texts, "x") == expected(hours)).all()
    zoned = pd.Series(pd.DatetimeIndex(expected(hours)).tz_localize("UTC").tz_convert("Europe/Berlin"))
    assert (read_times(zoned, "x") == expected(hours)).all()
    with pytest.raises(
        InputError, match=r"x is '2024-03-31 02:30' in data row 2; .* has a time zone; allowed: in all"
    ):
        read_times(pd.Series(["2024-03-31 00:30Z", "2024-03-31 02:30"]), "x")


def test_clocks_and_durations_are_seconds() -> None:
    assert read_times(pd.Series(["00:07", "01:07:30.5", "11:00 PM"]), "x").tolist() == [
        420.0,
        4050.5,
        82800.0,
    ]
    assert read_times(pd.Series(pd.to_timedelta(["1s", "90s"])), "x").tolist() == [1.0, 90.0]
    assert is_clock(pd.Series(["18.00.00", "19.00.00"]))
    assert not is_clock(pd.Series(["30.01.2024", "19.00.00"]))


def test_numbers_stay_numbers_and_unix_times_become_dates_where_asked() -> None:
    assert read_times(pd.Series([0.0, 0.5]), "x").tolist() == [0.0, 0.5]
    for power in range(4):
        numbers = np.array([1700000000, 1700003600]) * 1000**power
        assert read_times(pd.Series(numbers), "x").tolist() == numbers.tolist()
        dates = dates_of_unix_times(numbers)
        assert dates is not None
        assert (dates == np.array([1700000000, 1700003600], dtype="datetime64[s]")).all()
    assert dates_of_unix_times(np.array([1, 2])) is None


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["01/02/2024", "02/02/2024"],
            "'01/02/2024' in data row 1: day, month or year first.*=%d/%m/%Y or date_format=%m",
        ),
        (["30/01/24", "31/01/24"], "day, month or year first"),
        (
            ["2024-01-01", "02/01/2024"],
            "is '02/01/2024' in data row 2; the first is '2024-01-01'; allowed: one form",
        ),
        (["2024-01-01", "soon"], "is 'soon' in data row 2"),
        (["2024-02-28", "2024-02-30"], "is '2024-02-30' in data row 2; allowed: days of the calendar"),
        (
            ["2024-02-28 23:59", "2024-02-28 23:60"],
            "'2024-02-28 23:60' in data row 2; allowed: 00:00 to 24:00",
        ),
        (["2024-01-01", None], "missing in data row 2; allowed: a time in every row"),
        (["first", "second"], "'first' in data row 1: no date; allowed: date_format="),
    ],
)
def test_what_is_no_date_or_two(texts: list, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_times(pd.Series(texts), "x")
    assert "\n" not in str(error.value)


def test_an_option_says_what_comes_first() -> None:
    texts = pd.Series(["01/02/2024", "02/02/2024"])
    assert read_times(texts, "x", date_format="%d/%m/%Y")[1] == np.datetime64("2024-02-02")
    assert read_times(texts, "x", date_format="%m/%d/%Y")[0] == np.datetime64("2024-01-02")
    with pytest.raises(InputError, match=r"is '01/02/2024' in data row 1; date_format=%Y does not fit"):
        read_times(texts, "x", date_format="%Y")


def test_columns_that_make_up_a_time_together() -> None:
    table = pd.DataFrame({"Date": ["30/01/2024"] * 2, "Time": ["18.00.00", "19.00.00"]})
    assert (read_times(join_times(table, ["Date", "Time"], "x"), "x") == np.array(
        ["2024-01-30T18", "2024-01-30T19"], dtype="datetime64[ns]")
    ).all()  # fmt: skip
    parts = pd.DataFrame({"year": [2024, 2024], "month": [2, 2], "day": [28, 29], "hour": [5, 6]})
    times = read_times(join_times(parts, list(parts), "x"), "x")
    assert (times == np.array(["2024-02-28T05", "2024-02-29T06"], dtype="datetime64[ns]")).all()
    with pytest.raises(InputError, match="columns year, month, day are no date in data row 2"):
        join_times(parts.assign(year=2023), ["year", "month", "day"], "x")
