"""Rows of a recording brought to equal steps of time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqdis.core.errors import InputError
from seqdis.core.limits import allowed_content

__all__ = ["Resampled", "resample"]

SPELLED = {"H": "h", "d": "D", "S": "s", "T": "min", "m": "min"}
"""Units of time as people write them, and as pandas does."""


@dataclass(frozen=True)
class Resampled:
    """The steps of a recording.

    Attributes:
        values: The channels, ``(T, F)``, NaN where a step has no row.
        times: The time at which each step begins, ``(T,)``.
        classes: The class of each step of each label, ``(T,)``.
    """

    values: np.ndarray
    times: np.ndarray
    classes: Mapping[str, np.ndarray]


def resample(
    values: np.ndarray, times: np.ndarray, classes: Mapping[str, np.ndarray], freq: float | str, name: str
) -> Resampled:
    """Bring rows to steps of equal time: ``step k = [k·freq, (k + 1)·freq)``.

    A step has the mean of its rows' values and the class of its first row, that of the step before where it has none.

    Args:
        values: The channels of each row, ``(N, F)``, NaN where a cell is missing.
        times: The time of each row, ``(N,)``, ``datetime64[ns]`` or numbers, not decreasing.
        classes: The class of each row, ``(N,)``, by the label's name.
        freq: The time of a step, such as ``1h``, or a number in the unit of the times.
        name: The recording, for messages.

    Raises:
        InputError: ``freq`` is no time, does not go with the times, or makes too many steps.
    """
    starts, step_of_row = (_by_clock if times.dtype.kind == "M" else _by_number)(
        times, max(1, values.shape[1]), freq, name
    )
    seen, sums = np.zeros((len(starts), values.shape[1])), np.zeros((len(starts), values.shape[1]))
    known = ~np.isnan(values)
    np.add.at(seen, step_of_row, known)
    np.add.at(sums, step_of_row, np.where(known, values, 0.0))
    means = np.full_like(sums, np.nan)
    np.divide(sums, seen, out=means, where=seen > 0)
    filled = np.unique(step_of_row)
    first_row = np.searchsorted(step_of_row, filled)
    latest = first_row[np.searchsorted(filled, np.arange(len(starts)), side="right") - 1]
    return Resampled(means, starts, {label: column[latest] for label, column in classes.items()})


def _by_clock(times: np.ndarray, columns: int, freq: float | str, name: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        offset = pd.tseries.frequencies.to_offset(_spelled(str(freq)))
    except (ValueError, TypeError) as error:
        raise InputError(f"{name}: freq={freq}: {error}; allowed: such as 10s, 15min, 1h, 1D, 1MS") from error
    if offset.n <= 0:
        raise InputError(f"{name}: freq={freq}; allowed: above 0")
    if isinstance(offset, pd.tseries.offsets.Tick):
        _check_count(
            (times[-1] - times[0]) / np.timedelta64(pd.Timedelta(offset).value, "ns"),
            len(times),
            columns,
            freq,
            name,
        )
    counts = pd.Series(1, index=pd.DatetimeIndex(times)).resample(offset).sum()
    starts = counts.index.to_numpy("datetime64[ns]")
    return starts, np.repeat(np.arange(len(counts)), counts.to_numpy())


def _spelled(freq: str) -> str:
    """A time as pandas spells it: ``1H`` is ``1h``, ``1d`` is ``1D``, and ``15m`` are minutes."""
    parts = re.fullmatch(r"([\d.]*) *([HdSTm])", freq)
    return freq if parts is None else parts[1] + SPELLED[parts[2]]


def _by_number(
    times: np.ndarray, columns: int, freq: float | str, name: str
) -> tuple[np.ndarray, np.ndarray]:
    try:
        step = float(freq)
    except ValueError:
        raise InputError(
            f"{name}: freq={freq}: the times are numbers; allowed: a number in their unit"
        ) from None
    if not 0 < step < np.inf:
        raise InputError(f"{name}: freq={freq}; allowed: above 0")
    _check_count((times[-1] - times[0]) / step, len(times), columns, freq, name)
    # A time that stands on a step's edge may lie below it by rounding.
    number = np.floor((times - times[0]) / step + 1e-6).astype(np.int64)
    return times[0] + step * np.arange(number[-1] + 1), number


def _check_count(steps: float, rows: int, columns: int, freq: float | str, name: str) -> None:
    most = max(1, allowed_content(rows * columns) // columns)
    if steps > most:
        raise InputError(
            f"{name}: freq={freq} makes {steps:.0f} steps of {rows} rows; allowed: up to {most}, by a longer step"
        )
