"""Columns of tables that are no channels by what they are called and what they hold: times, identifiers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

__all__ = [
    "UNIX_TIMES",
    "counts_up",
    "is_unix_time",
    "looks_like_identifier",
    "looks_like_time",
    "names_a_time",
    "unix_power",
]

TIMES = frozenset({
    "time", "timestamp", "timestamps", "datetime", "date", "dates", "unixtime", "unix", "epoch", "ts", "t",
    "seconds", "second", "sec", "secs", "minutes", "minute", "min", "hours", "hour", "days", "day", "weeks",
    "week", "months", "month", "years", "year", "ms", "milliseconds", "elapsed", "step", "steps", "frame",
    "frames", "index", "idx", "row", "sample", "no", "nr", "cycle", "cycles",
})  # fmt: skip
"""Words that name a time, or the number of a step, in a column that increases."""
CLEAR_TIMES = frozenset({
    "time", "timestamp", "timestamps", "datetime", "date", "unixtime",
})  # fmt: skip
"""Words that name a time whatever a column holds."""
UNITS = frozenset(
    {"s", "sec", "seconds", "ms", "us", "ns", "min", "minutes", "h", "hours", "utc", "gmt", "local"}
)
"""Words that may follow the name of a time."""
IDENTIFIERS = frozenset({
    "id", "ids", "uid", "uuid", "guid", "subject", "patient", "person", "participant", "user", "unit",
    "device", "machine", "sensor", "station", "trial", "episode", "session", "sequence", "series", "group",
    "customer", "vehicle", "engine", "case", "animal", "recording",
})  # fmt: skip
"""Words that name what a row belongs to, in a column of whole numbers or texts."""
UNIX_TIMES = ((1e9, 2.2e9), (1e12, 2.2e12), (1e15, 2.2e15), (1e18, 2.2e18))
"""Seconds, and their thousandths, millionths and billionths, since 1970, of the years 2001 to 2039."""


def _words(name: str) -> list[str]:
    """The words of a name: ``patientId``, ``patient_id`` and ``Patient ID`` have two."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.findall(r"[^\W\d_]+", parted)]


def names_a_time(name: str) -> bool:
    """Whether a column is a time by its name alone (``timestamp``, ``Time (s)``)."""
    words = _words(name)
    return bool(words) and words[0] in CLEAR_TIMES and {*words[1:]} <= CLEAR_TIMES | UNITS


def is_unix_time(values: np.ndarray) -> bool:
    """Whether numbers are seconds since 1970 (or milliseconds, …) that do not go back."""
    if not len(values) or not np.isfinite(values).all():
        return False
    inside = any(low <= values.min() and values.max() <= high for low, high in UNIX_TIMES)
    return inside and bool((values[1:] >= values[:-1]).all())


def unix_power(values: np.ndarray) -> int:
    """The number of times that a second is divided by 1000 in numbers that are Unix times: 0 for seconds."""
    return next(power for power, (_, most) in enumerate(UNIX_TIMES) if values.max() <= most)


def looks_like_time(name: str, values: np.ndarray, rows: Sequence[np.ndarray] | None = None) -> bool:
    """Whether a column of numbers is a time: it is called so, or is called like one and increases, or is Unix time.

    Args:
        name: The column's name.
        values: The column's values, ``(T,)``.
        rows: The numbers of the rows of each recording, within which a time increases; all rows are one when omitted.
    """
    words = _words(name)
    if names_a_time(name):
        return True
    parts = [values] if rows is None else [values[one] for one in rows]
    if all(is_unix_time(part) for part in parts):
        return True
    called = bool(words) and (words[0] in TIMES or words[-1] in CLEAR_TIMES)
    return called and len(values) > len(parts) and all(bool((np.diff(part) > 0).all()) for part in parts)


def counts_up(values: np.ndarray) -> bool:
    """Whether numbers increase by the same amount in every row, as those of a time or of a counter do.

    Args:
        values: The values of a column, ``(T,)``, of at least eight rows.
    """
    if len(values) < 8 or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    return bool(steps.min() > 0 and np.ptp(steps) <= 1e-3 * steps.mean())


def looks_like_identifier(name: str, values: np.ndarray, *, first: bool = False) -> bool:
    """Whether a column of numbers names what a row belongs to: whole numbers, called so.

    Args:
        name: The column's name.
        values: The column's values, ``(T,)``.
        first: Whether it stands before all other columns, where numbers in blocks, each block above the one before,
            are an identifier by whatever name.
    """
    if not len(values) or not np.isfinite(values).all() or (values != np.round(values)).any():
        return False
    words = _words(name)
    if words and (words[-1] in IDENTIFIERS or words[0] in IDENTIFIERS):
        return True
    changes = np.diff(values)
    return first and bool((changes >= 0).all()) and 0 < int((changes > 0).sum()) < len(values) // 2
