"""Times of steps from texts, dates and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from seqdis.core.column_kinds import is_unix_time, unix_power
from seqdis.core.errors import InputError

__all__ = ["PARTS", "dates_of_unix_times", "is_clock", "join_times", "looks_like_a_time", "read_times"]

_CLOCK = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_DAY = r"0?[1-9]|[12]\d|3[01]"
_DAYS = {
    "year first": r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})",
    "year last": rf"(?P<first>{_DAY})(?P<mark>[-/.])(?P<next>{_DAY})(?P=mark)(?P<year>\d{{4}})",
    "two digits": rf"(?P<first>{_DAY})(?P<mark>[-/.])(?P<next>{_DAY})(?P=mark)(?P<year>\d{{2}})",
    "named month": r"(?P<day>\d{1,2})[- ](?P<word>[A-Za-z]{3,9})[- ,]+(?P<year>\d{4})",
    "month named first": r"(?P<word>[A-Za-z]{3,9})[- ](?P<day>\d{1,2}),? +(?P<year>\d{4})",
    "month": r"(?P<year>\d{4})-(?P<month>\d{2})",
}
_FORMS = {
    kind: re.compile(rf"{day}(?:(?:[T_,]|,? +){_CLOCK}{_ZONE})?" if kind != "month" else day)
    for kind, day in _DAYS.items()
} | {"clock": re.compile(_CLOCK)}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
PARTS = ("year", "month", "day", "hour", "minute", "second")
"""Names of columns that make up a time together."""


def looks_like_a_time(text: str) -> bool:
    """Whether a text is a date, a time of the day or both, in one of the usual forms."""
    return _form_of(text) is not None


def is_clock(cells: pd.Series) -> bool:
    """Whether all texts are times of the day without a date."""
    known = cells.dropna().astype(str).str.strip()
    return not known.empty and bool(known.str.fullmatch(_FORMS["clock"].pattern).all())


def _form_of(text: str) -> str | None:
    return next((kind for kind, form in _FORMS.items() if form.fullmatch(text.strip())), None)


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
    return _of_texts(cells.astype(str).str.strip(), name)


def _in_format(texts: pd.Series, name: str, date_format: str) -> np.ndarray:
    try:
        times = pd.to_datetime(texts, format=date_format, errors="coerce", utc="%z" in date_format)
    except ValueError as error:
        raise InputError(f"{name}: date_format={date_format}: {' '.join(str(error).split())}") from error
    _refuse(times.isna(), texts, name, f"date_format={date_format} does not fit; allowed: dates in that form")
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


def _refuse(bad: pd.Series, texts: pd.Series, name: str, why: str) -> None:
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InputError(f"{name} is {texts.iloc[row]!r} in data row {row + 1}; {why}")


def _of_texts(texts: pd.Series, name: str) -> np.ndarray:
    form = _form_of(texts.iloc[0])
    if form is None:
        raise InputError(
            f"{name} is {texts.iloc[0]!r} in data row 1: no date; allowed: date_format=%d/%m/%Y %H:%M"
        )
    parts = texts.str.extract(f"^(?:{_FORMS[form].pattern})$")
    parts.columns = list(_FORMS[form].groupindex)
    known = parts["hour" if form == "clock" else "year"].notna()
    _refuse(
        ~known, texts, name, f"the first is {texts.iloc[0]!r}; allowed: one form, or date_format=%d/%m/%Y"
    )
    clock = _clock(parts, texts, name)
    if form == "clock":
        return clock / 1e9
    if "first" in parts:
        parts = parts.assign(**_day_and_month(parts, texts, name, form))
    if "word" in parts:
        number = {word: i for i, word in enumerate(_MONTHS, start=1)}
        parts["month"] = parts["word"].str.lower().str[:3].map(number)
    if form == "month":
        parts["day"] = 1
    numbers = parts[["year", "month", "day"]].apply(pd.to_numeric)
    days = pd.to_datetime(numbers, errors="coerce")
    _refuse(days.isna(), texts, name, "allowed: days of the calendar")
    zoned = parts["zone"].notna() if "zone" in parts else pd.Series(False, index=parts.index)
    if zoned.any():
        _refuse(
            ~zoned, texts, name, f"{texts[zoned].iloc[0]!r} has a time zone; allowed: in all rows, or none"
        )
        clock = clock - _offset(parts["zone"])
    return days.to_numpy("datetime64[ns]") + clock.astype("timedelta64[ns]")


def _clock(parts: pd.DataFrame, texts: pd.Series, name: str) -> np.ndarray:
    """Nanoseconds since midnight."""
    if "hour" not in parts:
        return np.zeros(len(parts), dtype=np.int64)
    hour, minute, second = (parts[c].fillna("0").astype(np.int64) for c in ("hour", "minute", "second"))
    half = parts["half"].str.lower()
    _refuse(
        (hour > 24) | (minute > 59) | (second > 60) | (half.notna() & (hour > 12)),
        texts,
        name,
        "allowed: 00:00 to 24:00",
    )
    hour = hour.where(half.isna(), hour % 12 + 12 * (half == "p"))
    fraction = parts["fraction"].fillna("0").str.ljust(9, "0").astype(np.int64)
    return (((hour * 60 + minute) * 60 + second) * 10**9 + fraction).to_numpy()


def _offset(zone: pd.Series) -> np.ndarray:
    plain = zone.replace({"Z": "+0000", "UTC": "+0000", "GMT": "+0000"}).str.replace(":", "")
    minutes = plain.str[1:3].astype(int) * 60 + plain.str[3:5].astype(int)
    return np.asarray(minutes.where(plain.str[0] == "+", -minutes), dtype=np.int64) * 60 * 10**9


def _day_and_month(parts: pd.DataFrame, texts: pd.Series, name: str, form: str) -> dict[str, pd.Series]:
    """Day and month by the numbers above 12; a point between them puts the day first."""
    first, following = parts["first"].astype(int), parts["next"].astype(int)
    if form != "two digits":
        if (parts["mark"] == ".").all() or (first.max() > 12 >= following.max()):
            return {"day": first, "month": following}
        if following.max() > 12 >= first.max():
            return {"day": following, "month": first}
    year = "%Y" if form != "two digits" else "%y"
    mark = str(parts["mark"].iloc[0])
    forms = " or ".join(
        f"date_format={mark.join(order)}" for order in (("%d", "%m", year), ("%m", "%d", year))
    )
    raise InputError(
        f"{name} is {texts.iloc[0]!r} in data row 1: day, month or year first? allowed: {forms} (and %H:%M …)"
    )
