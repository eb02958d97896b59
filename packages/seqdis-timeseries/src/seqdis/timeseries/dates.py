"""Times of steps from texts, dates and numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from seqdis.core.column_kinds import is_unix_time, unix_power
from seqdis.core.errors import InputError
from seqdis.timeseries.date_texts import is_clock_text, read_date_texts

__all__ = ["PARTS", "dates_of_unix_times", "is_clock", "join_times", "read_times"]

PARTS = ("year", "month", "day", "hour", "minute", "second")
"""Names of columns that make up a time together."""


def is_clock(cells: pd.Series) -> bool:
    """Whether all texts are times of the day without a date."""
    known = cells.dropna()
    return not known.empty and all(is_clock_text(str(text)) for text in known)


def join_times(table: pd.DataFrame, columns: Sequence[str], name: str) -> pd.Series:
    """The one column of several that make up a time: a date and a clock, or year, month, day, ….

    Raises:
        InputError: The columns do not go together.
    """
    if len(columns) == 1:
        return table[columns[0]]
    parts = {column.lower(): table[column] for column in columns}
    if parts.keys() <= set(PARTS) and {"year", "month", "day"} <= parts.keys():
        times = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
        if times.isna().any():
            row = int(times.isna().to_numpy().argmax())
            raise InputError(f"{name}: columns {', '.join(columns)} are no date in data row {row + 1}")
        return times
    return (
        table[list(columns)].astype(str).agg(" ".join, axis=1).where(table[list(columns)].notna().all(axis=1))
    )


def read_times(cells: pd.Series, name: str, *, date_format: str | None = None) -> np.ndarray:
    """The time of each row, ``(T,)``: ``datetime64[ns]``, in UTC where the zone is known, or numbers.

    Durations and times of the day are seconds; numbers such as 20240131 are dates; all others stay what they are.

    Args:
        cells: The column's cells, one a row.
        name: The file and the column, for messages.
        date_format: The form in which dates are written, as ``strptime`` takes it; recognised when omitted.

    Raises:
        InputError: A row has no time or one in another form, or day and month cannot be told apart.
    """
    missing = cells.isna().to_numpy()
    if missing.any():
        raise InputError(
            f"{name} is missing in data row {int(missing.argmax()) + 1}; allowed: a time in every row"
        )
    if pd.api.types.is_timedelta64_dtype(cells):
        return np.asarray(cells.dt.total_seconds(), dtype=np.float64)
    if isinstance(cells.dtype, pd.DatetimeTZDtype):
        cells = cells.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_any_dtype(cells):
        return cells.to_numpy("datetime64[ns]")
    if date_format is not None:
        return _in_format(cells.astype(str), name, date_format)
    if pd.api.types.is_numeric_dtype(cells):
        return _of_numbers(cells)
    return read_date_texts([str(text) for text in cells], name)


def _in_format(texts: pd.Series, name: str, date_format: str) -> np.ndarray:
    try:
        times = pd.to_datetime(texts, format=date_format, errors="coerce", utc="%z" in date_format)
    except ValueError as error:
        raise InputError(f"{name}: date_format={date_format}: {' '.join(str(error).split())}") from error
    wrong = times.isna().to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{name} is {texts.iloc[row]!r} in data row {row + 1}; date_format={date_format} does not fit; allowed: dates in "
            "that form"
        )
    return (times.dt.tz_localize(None) if times.dt.tz is not None else times).to_numpy("datetime64[ns]")


def _of_numbers(cells: pd.Series) -> np.ndarray:
    values = np.asarray(cells.to_numpy(), dtype=np.int64 if cells.dtype.kind in "iu" else np.float64)
    if values.dtype.kind == "i" and values.min() >= 19000101 and values.max() <= 21001231:
        days = pd.to_datetime(pd.Series(values).astype(str), format="%Y%m%d", errors="coerce")
        if days.notna().all():
            return days.to_numpy("datetime64[ns]")
    return values


def dates_of_unix_times(times: np.ndarray) -> np.ndarray | None:
    """The dates ``datetime64[ns]`` of seconds, or thousandths, …, since 1970; None for other numbers."""
    if not is_unix_time(times):
        return None
    power = unix_power(times)
    whole = times.astype(np.int64)
    nanoseconds = whole * 10 ** (9 - 3 * power) + np.round((times - whole) * 10.0 ** (9 - 3 * power)).astype(
        np.int64
    )
    return nanoseconds.astype("datetime64[ns]")
