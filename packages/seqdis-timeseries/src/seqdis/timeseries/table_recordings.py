"""The recordings of a table: its rows by identifier, in time, with labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from seqdis.core.errors import InputError
from seqdis.timeseries.column_roles import ColumnRoles, column_roles
from seqdis.timeseries.dates import dates_of_unix_times, join_times, read_times
from seqdis.timeseries.missing_values import without_codes
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.resampling import resample
from seqdis.timeseries.time_steps import (
    TOLERANCE,
    UNITS,
    check_order,
    check_spacing,
    time_step,
    unit_of_numbers,
)

__all__ = ["UNLABELLED", "TableRecording", "table_recordings"]

UNLABELLED = "unlabelled"
"""The class of a step whose cell of a label is empty."""


@dataclass(frozen=True)
class TableRecording:
    """One recording of a table.

    Attributes:
        identifier: The recording's identifier; None where the table is one recording.
        columns: Names of the channels.
        time_column: Name of the column of times, several joined by commas; empty where the table has none.
        values: The channels, ``(T, F)``, NaN where a cell is missing.
        times: The time of each step, ``(T,)``; None where the table has none.
        labels: The class of each label of the recording.
        classes: The class of each step of each label, ``(T,)``.
    """

    identifier: str | None
    columns: tuple[str, ...]
    time_column: str
    values: np.ndarray
    times: np.ndarray | None
    labels: Mapping[str, str]
    classes: Mapping[str, np.ndarray]


def table_recordings(
    table: pd.DataFrame, name: str, options: SeriesOptions, *, lenient: bool = False
) -> list[TableRecording]:
    """Take a table apart into recordings, in the order in which their identifiers first occur.

    Args:
        table: The table, a row a step; rows of several recordings may be mixed.
        name: The name of its source, for messages.
        options: The columns by name, and what to do with times.
        lenient: Whether the table may lack named columns that are no channels.

    Raises:
        InputError: A column cannot be what it is named as, see :func:`~seqdis.timeseries.column_roles.column_roles`; or
            times are missing, go back, occur twice, or are not equally spaced.
    """
    if table.empty:
        raise InputError(f"{name}: holds no rows of numbers; at least one is needed")
    roles = column_roles(table, name, options, lenient=lenient)
    if not roles.channels:
        raise InputError(f"{name}: holds no rows of numbers; at least one column of numbers is needed")
    values = table[list(roles.channels)].to_numpy(np.float64, na_value=np.nan)
    values = without_codes(values, roles.channels, name, options)
    times, column = None, ", ".join(roles.time)
    if roles.time:
        cells = join_times(table, roles.time, name)
        times = read_times(cells, f"{name}: column {column!r}", date_format=options.date_format)
        if isinstance(options.freq, str) and times.dtype.kind != "M":
            dates = dates_of_unix_times(np.sort(times))
            times = times if dates is None else np.take(dates, np.argsort(np.argsort(times, kind="stable")))
    recordings = []
    for identifier, rows in _groups(table, roles.identifier, name):
        title = name if identifier is None else f"{name}#{identifier}"
        if times is not None:
            if options.sort:
                rows = rows[np.argsort(times[rows], kind="stable")]
            _check_times(times[rows], rows, title, column, options)
        one = TableRecording(
            identifier,
            roles.channels,
            column,
            values[rows],
            None if times is None else times[rows],
            _labels(table, rows, roles, title),
            {label: _classes(table[label].iloc[rows]) for label in roles.step_labels},
        )
        recordings.append(_in_equal_steps(one, title, options))
    return recordings


def _check_times(
    times: np.ndarray, rows: np.ndarray, title: str, column: str, options: SeriesOptions
) -> None:
    resampled = options.freq is not None
    # Rows of one time are averaged where steps are resampled; a time that goes back is an error even so.
    kept = np.r_[True, times[1:] != times[:-1]] if resampled else slice(None)
    check_order(times[kept], rows[kept], title, column)
    if resampled:
        return
    if not options.irregular:
        check_spacing(times, rows, title, column)
    step = time_step(times)
    unit = None if step is None else step.unit or unit_of_numbers(times, column)
    if step is None or unit not in UNITS or options.unit not in UNITS:
        return
    share = step.size * UNITS[unit] / (options.step * UNITS[options.unit])
    if abs(share - 1) > TOLERANCE:
        raise InputError(
            f"{title}: steps of {step.size:g}{unit} ({column!r}); the first file learnt from has {options.step:g}{options.unit}; allowed: "
            f"equal steps in all files, or freq={options.step:g}{options.unit}"
        )


def _in_equal_steps(recording: TableRecording, title: str, options: SeriesOptions) -> TableRecording:
    if options.freq is None:
        return recording
    if recording.times is None:
        raise InputError(
            f"{title}: freq={options.freq}, but no column holds times; allowed: one named by time_column"
        )
    parts = resample(recording.values, recording.times, recording.classes, options.freq, title)
    return replace(recording, values=parts.values, times=parts.times, classes=parts.classes)


def _groups(table: pd.DataFrame, column: str | None, name: str) -> Iterator[tuple[str | None, np.ndarray]]:
    """Each identifier with the numbers of its rows."""
    if column is None:
        yield None, np.arange(len(table))
        return
    missing = table[column].isna().to_numpy()
    if missing.any():
        raise InputError(
            f"{name}: id column {column!r} is missing in data row {int(missing.argmax()) + 1}; allowed: one in every row"
        )
    numbers, identifiers = pd.factorize(_classes(table[column]))
    order = np.argsort(numbers, kind="stable")
    for identifier, rows in zip(
        identifiers, np.split(order, np.cumsum(np.bincount(numbers))[:-1]), strict=True
    ):
        yield str(identifier), rows


def _classes(cells: pd.Series) -> np.ndarray:
    """The cells as texts; whole numbers without a decimal point."""
    if pd.api.types.is_float_dtype(cells) and (cells.dropna() == cells.dropna().round()).all():
        cells = cells.astype("Int64")
    texts = cells.astype(object).where(cells.notna(), UNLABELLED)
    return np.array([str(text) for text in texts], dtype=str)


def _labels(table: pd.DataFrame, rows: np.ndarray, roles: ColumnRoles, title: str) -> dict[str, str]:
    labels = {}
    for label in roles.labels:
        cells = table[label].iloc[rows]
        texts = _classes(cells)
        if cells.isna().any():
            row = rows[int(cells.isna().to_numpy().argmax())] + 1
            raise InputError(
                f"{title}: label column {label!r} is missing in data row {row}; allowed: one in every row"
            )
        other = np.flatnonzero(texts != texts[0])
        if len(other):
            raise InputError(
                f"{title}: label column {label!r} is {texts[other[0]]} in data row {rows[other[0]] + 1} and {texts[0]} before; "
                f"allowed: one for the whole recording, step_label_columns={label} (of each step), or id_column="
            )
        labels[label] = str(texts[0])
    return labels
