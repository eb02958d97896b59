"""The order and the spacing of the times of a recording's steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqdis.core.column_kinds import is_unix_time, unix_power
from seqdis.core.errors import InputError

__all__ = ["UNITS", "TimeStep", "check_order", "check_spacing", "steady_step", "time_step", "unit_of_numbers"]

TOLERANCE = 0.1
"""Share of a step by which steps may differ: times are often rounded, or jitter."""
UNITS = {
    "d": 86400 * 10**9,
    "h": 3600 * 10**9,
    "min": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
"""Units of time in nanoseconds."""
UNIT_NAMES = {
    "d": ("d", "day", "days"),
    "h": ("h", "hour", "hours"),
    "min": ("min", "minute", "minutes"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "ms": ("ms", "msec", "millisecond", "milliseconds"),
}
"""Words for units in the names of columns."""
STEADY = 0.01
"""Share of a step by which steps may differ where their length is told to a person."""


@dataclass(frozen=True)
class TimeStep:
    """The time between two steps.

    Attributes:
        size: Size of the step, in the unit.
        unit: The unit; None for numbers, whose unit is not known.
    """

    size: float
    unit: str | None

    def __str__(self) -> str:
        return f"{self.size:g}{self.unit or ''}"


def steady_step(times: np.ndarray, column: str) -> TimeStep | None:
    """The time between any two steps, in a known unit; None where steps differ (as months do) or have no unit."""
    step, differences = time_step(times), np.diff(times).astype(np.float64)
    if step is None or np.ptp(differences) > STEADY * differences.mean():
        return None
    unit = step.unit or unit_of_numbers(times, column)
    return None if unit is None else TimeStep(step.size, unit)


def time_step(times: np.ndarray) -> TimeStep | None:
    """The middle one of the differences between times; None where there are fewer than two.

    Args:
        times: The time of each step, ``(T,)``, ``datetime64[ns]`` or numbers, increasing.
    """
    if len(times) < 2:
        return None
    middle = np.sort(np.diff(times))[(len(times) - 1) // 2]
    if times.dtype.kind != "M":
        return TimeStep(float(middle), None)
    nanoseconds = int(middle.astype("timedelta64[ns]").astype(np.int64))
    unit = next(
        (unit for unit, size in UNITS.items() if nanoseconds >= size and nanoseconds % size == 0), "ns"
    )
    return TimeStep(nanoseconds / UNITS[unit], unit)


def unit_of_numbers(times: np.ndarray, column: str) -> str | None:
    """The unit of times that are numbers, by the column's name (``Time (ms)``) or by their size (Unix time); None elsewhere.

    Args:
        times: The time of each step, ``(T,)``.
        column: The column of the times.
    """
    if is_unix_time(times):
        return ("s", "ms", "us", "ns")[unix_power(times)]
    words = (
        column.lower()
        .replace("_", " ")
        .replace("(", " ")
        .replace(")", " ")
        .replace("[", " ")
        .replace("]", " ")
        .split()
    )
    return next((unit for word in words for unit, names in UNIT_NAMES.items() if word in names), None)


def check_order(times: np.ndarray, rows: np.ndarray, name: str, column: str) -> None:
    """Refuse times that go back or occur twice.

    Args:
        times: The time of each step, ``(T,)``.
        rows: The number of each step's row in the table, ``(T,)``.
        name: The recording, for the message.
        column: The column of the times, for the message.

    Raises:
        InputError: A time is not later than the one before; the message names the first.
    """
    late = np.flatnonzero(times[1:] <= times[:-1])
    if not len(late):
        return
    at = int(late[0]) + 1
    where = f"{name}: {column!r} is {_text(times[at])} in data row {rows[at] + 1}"
    if times[at] == times[at - 1]:
        step = time_step(np.unique(times)) or ("1h" if times.dtype.kind == "M" else 1)
        raise InputError(
            f"{where}, as in data row {rows[at - 1] + 1}; allowed: each time once, freq={step} (the mean of the rows "
            "of each step), id_column= (rows of several recordings), or time_column=false"
        )
    raise InputError(
        f"{where}, before {_text(times[at - 1])} in data row {rows[at - 1] + 1}; allowed: times that increase, sort=true, "
        "id_column= (rows of several recordings), or time_column=false"
    )


def check_spacing(times: np.ndarray, rows: np.ndarray, name: str, column: str) -> None:
    """Refuse times that are not equally spaced, by a clock or by the calendar (months, working days).

    Args:
        times: The time of each step, ``(T,)``, increasing.
        rows: The number of each step's row in the table, ``(T,)``.
        name: The recording, for the message.
        column: The column of the times, for the message.

    Raises:
        InputError: Two steps differ; the message names the first place.
    """
    if len(times) < 3:
        return
    steps = np.diff(times).astype(np.float64)
    usual = float(np.sort(steps)[len(steps) // 2])
    odd = np.flatnonzero(np.abs(steps - usual) > TOLERANCE * usual)
    if not len(odd) or (times.dtype.kind == "M" and pd.infer_freq(pd.DatetimeIndex(times)) is not None):
        return
    at = int(odd[0]) + 1
    step, least = time_step(times), float(steps.min())
    whole = steps / least
    if (
        np.abs(whole - np.round(whole)).max() < TOLERANCE
    ):  # steps are left out: the least one is that of the clock
        least_at = int(steps.argmin())
        freq = time_step(times[least_at : least_at + 2])
    else:
        freq = step
    raise InputError(
        f"{name}: {column!r} goes from {_text(times[at - 1])} to {_text(times[at])} in data row {rows[at] + 1}, most steps are "
        f"{step}; allowed: equal steps, freq={freq} (resampled, gaps are unobserved), or irregular=true (rows are steps)"
    )


def _text(time: np.generic) -> str:
    return str(pd.Timestamp(time)) if isinstance(time, np.datetime64) else str(time)
