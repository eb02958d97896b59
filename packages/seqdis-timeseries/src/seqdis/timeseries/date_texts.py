"""Dates and times of the day in texts, in the forms that people and programs write."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seqdis.core.errors import InputError

__all__ = ["is_clock_text", "looks_like_a_time", "read_date_texts"]

_CLOCK = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DAYS = {
    "year first": r"(?P<year>\d{4})MARK(?P<month>\d{1,2})MARK(?P<day>\d{1,2})",
    "year last": rf"(?P<first>{_DAY})MARK(?P<next>{_DAY})MARK(?P<year>\d{{4}})",
    "two digits": rf"(?P<first>{_DAY})MARK(?P<next>{_DAY})MARK(?P<year>\d{{2}})",
    "named month": r"(?P<day>\d{1,2})[- ](?P<word>[A-Za-z]{3,9})[- ,]+(?P<year>\d{4})",
    "month named first": r"(?P<word>[A-Za-z]{3,9})[- ](?P<day>\d{1,2}),? +(?P<year>\d{4})",
    "month": r"(?P<year>\d{4})-(?P<month>\d{2})",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
YEARS = (1678, 2261)
"""The first and the last year that stamps, which count nanoseconds, can hold."""


@dataclass(frozen=True)
class _Form:
    """One way of writing a time: its name, what stands between day, month and year, and its pattern."""

    kind: str
    mark: str
    pattern: re.Pattern[str]


def _forms() -> list[_Form]:
    forms = []
    for (kind, day), mark in itertools.product(_DAYS.items(), "-/."):
        text = day.replace("MARK", re.escape(mark))
        if kind != "month":
            text += rf"(?:(?:[T_,]|,? +){_CLOCK}{_ZONE})?"
        if "MARK" in day or mark == "-":
            forms.append(_Form(kind, mark, re.compile(text)))
    return [*forms, _Form("clock", ":", re.compile(_CLOCK))]


_FORMS = _forms()


def _form_of(text: str) -> _Form | None:
    return next((form for form in _FORMS if form.pattern.fullmatch(text.strip())), None)


def looks_like_a_time(text: str) -> bool:
    """Whether a text is a date, a time of the day or both, in one of the usual forms."""
    return _form_of(text) is not None


def is_clock_text(text: str) -> bool:
    """Whether a text is a time of the day without a date."""
    return _FORMS[-1].pattern.fullmatch(text.strip()) is not None


@dataclass(frozen=True)
class _Column:
    """The texts of a column and the parts that their form has, for the steps of reading them.

    Attributes:
        texts: The texts, one a row.
        parts: The parts of each text, empty where one is left out, as fields.
        name: The name of the column in messages.
    """

    texts: list[str]
    parts: pa.StructArray
    name: str

    def has(self, part: str) -> bool:
        return self.parts.type.get_field_index(part) >= 0

    def text(self, part: str) -> pa.Array:
        return pc.struct_field(self.parts, part)

    def number(self, part: str) -> np.ndarray:
        """A part as whole numbers, 0 where it is left out."""
        field = self.text(part)
        return pc.if_else(pc.equal(field, ""), "0", field).cast(pa.int64()).to_numpy(zero_copy_only=False)

    def refuse(self, bad: np.ndarray, why: str) -> None:
        """Raise for the first row that is bad."""
        if bad.any():
            row = int(bad.argmax())
            raise InputError(f"{self.name} is {self.texts[row]!r} in data row {row + 1}; {why}")


def read_date_texts(texts: list[str], name: str) -> np.ndarray:
    """The times that texts of one form are, ``(T,)``: ``datetime64[ns]``, in UTC where they have a zone; seconds of a clock.

    Args:
        texts: The texts, one a row.
        name: The file and the column, for messages.

    Raises:
        InputError: A text is of no known form, or another than the first; or day and month cannot be told apart.
    """
    form = _form_of(texts[0])
    if form is None:
        raise InputError(
            f"{name} is {texts[0]!r} in data row 1: no date; allowed: date_format=%d/%m/%Y %H:%M"
        )
    cells = pc.utf8_trim_whitespace(pa.array(texts, pa.string()))
    column = _Column(texts, pc.extract_regex(cells, f"^(?:{form.pattern.pattern})$"), name)
    unknown = pc.is_null(column.parts).to_numpy(zero_copy_only=False)
    column.refuse(unknown, f"the first is {texts[0]!r}; allowed: one form, or date_format=%d/%m/%Y")
    clock = _nanoseconds(column) if column.has("hour") else np.zeros(len(texts), dtype=np.int64)
    if form.kind == "clock":
        return clock / 1e9
    if column.has("zone"):
        clock -= _offset(column)
    return _days(column, form).astype("datetime64[ns]") + clock.astype("timedelta64[ns]")


def _nanoseconds(column: _Column) -> np.ndarray:
    """Nanoseconds since midnight."""
    hour, minute, second = (column.number(part) for part in ("hour", "minute", "second"))
    half = pc.utf8_lower(column.text("half"))
    morning, evening = (pc.equal(half, mark).to_numpy(zero_copy_only=False) for mark in "ap")
    twelve = morning | evening
    wrong = (hour > 24) | (minute > 59) | (second > 60) | (twelve & (hour > 12))
    column.refuse(wrong, "allowed: 00:00 to 24:00")
    hour = np.where(twelve, hour % 12 + 12 * evening, hour)
    fraction = pc.utf8_rpad(column.text("fraction"), 9, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return ((hour * 60 + minute) * 60 + second) * 10**9 + fraction


def _offset(column: _Column) -> np.ndarray:
    """Nanoseconds that a time zone is ahead of UTC."""
    zone = column.text("zone")
    without = pc.equal(zone, "").to_numpy(zero_copy_only=False)
    if without.all():
        return np.zeros(len(without), dtype=np.int64)
    zoned = column.texts[int(without.argmin())]
    column.refuse(without, f"{zoned!r} has a time zone; allowed: in all rows, or none")
    coded = zone.dictionary_encode()
    ahead = [_minutes(text) for text in coded.dictionary.to_pylist()]
    return np.array(ahead, dtype=np.int64)[coded.indices.to_numpy()] * 60 * 10**9


def _minutes(zone: str) -> int:
    if zone.isalpha():
        return 0
    return int(f"{zone[0]}1") * (60 * int(zone[1:3]) + int(zone[-2:]))


def _days(column: _Column, form: _Form) -> np.ndarray:
    """The day of each text, ``datetime64[D]``."""
    year = column.number("year")
    if column.has("word"):
        words = pc.utf8_slice_codeunits(pc.utf8_lower(column.text("word")), 0, 3)
        found = pc.index_in(words, pa.array(_MONTHS))
        month, day = pc.fill_null(found, -1).to_numpy(zero_copy_only=False) + 1, column.number("day")
    elif column.has("first"):
        month, day = _month_and_day(column, form)
    else:
        month = column.number("month")
        day = column.number("day") if column.has("day") else np.ones_like(month)
    column.refuse((year < YEARS[0]) | (year > YEARS[1]), f"allowed: years {YEARS[0]} to {YEARS[1]}")
    column.refuse((month < 1) | (month > 12) | (day < 1), "allowed: days of the calendar")
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days: np.ndarray = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    column.refuse(days.astype("datetime64[M]") != months, "allowed: days of the calendar")
    return days


def _month_and_day(column: _Column, form: _Form) -> tuple[np.ndarray, np.ndarray]:
    """Month and day by the numbers above 12; a point between them puts the day first."""
    first, following = column.number("first"), column.number("next")
    if form.kind != "two digits":
        if form.mark == "." or first.max() > 12 >= following.max():
            return following, first
        if following.max() > 12 >= first.max():
            return first, following
    year = "%y" if form.kind == "two digits" else "%Y"
    ways = [form.mark.join(parts) for parts in (("%d", "%m", year), ("%m", "%d", year))]
    raise InputError(
        f"{column.name} is {column.texts[0]!r} in data row 1: day, month or year first? allowed: date_format={ways[0]} or "
        f"date_format={ways[1]} (and %H:%M …)"
    )
