"""The columns of a table that are channels, and those that say when, whose and of which class a row is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seqdis.core.column_kinds import counts_up, looks_like_identifier, looks_like_time, names_a_time
from seqdis.core.errors import InputError, unknown_name
from seqdis.timeseries.date_texts import looks_like_a_time
from seqdis.timeseries.dates import PARTS, is_clock
from seqdis.timeseries.decimal_marks import NUMBER_LIKE
from seqdis.timeseries.options import SeriesOptions

__all__ = ["ColumnRoles", "column_roles"]

ROW_NUMBERS = ("no", "no.", "nr", "nr.", "#", "index", "idx", "row", "row_number")
"""Names, in lower case, of a first column that counts the rows."""
BLOCKS = 8
"""Number of rows from which a first column of whole numbers in blocks is taken for an identifier."""

_NAMED = "allowed: {}, or columns=A,B,… without it"


@dataclass(frozen=True)
class ColumnRoles:
    """The role of each column of a table.

    Attributes:
        channels: The columns of numbers that are learnt from, in order.
        time: The column of a step's time, or several that make it up; empty where there is none.
        identifier: The column that names the recording of a row; None where all rows are one.
        labels: Columns whose value is a label of the whole recording.
        step_labels: Columns whose value is a label of the step.
    """

    channels: tuple[str, ...]
    time: tuple[str, ...]
    identifier: str | None
    labels: tuple[str, ...]
    step_labels: tuple[str, ...]


def column_roles(
    table: pd.DataFrame, name: str, options: SeriesOptions, *, lenient: bool = False
) -> ColumnRoles:
    """Say what each column of a table is, by the options where they name it and by what it holds elsewhere.

    Args:
        table: The table, a row a step.
        name: The name of its source, for messages.
        options: The options that name columns.
        lenient: Whether a table may lack the named columns that are no channels, as one that a model wrote does.

    Raises:
        InputError: Two columns have one name, a named one is absent, or one that may be something else than a channel
            is not named.
    """
    names = [str(column) for column in table.columns]
    double = next((column for column, count in Counter(names).items() if count > 1 and column), None)
    if double is not None:
        raise InputError(f"{name}: two columns are called {double!r}; allowed: each name once")
    labels = _present(options.label_columns, names, f"{name}: label column", lenient)
    step_labels = _present(options.step_label_columns, names, f"{name}: step label column", lenient)
    own_id = (options.id_column,) if isinstance(options.id_column, str) else ()
    identifier = next(iter(_present(own_id, names, f"{name}: id column", lenient)), None)
    channels = _present(options.columns or (), names, f"{name}: column", False)
    rest = [c for c in names if c not in {*labels, *step_labels, identifier, *channels}]
    rest = _without_row_number(table, rest, names)
    if options.time_column is None:
        time = _recognise_time(table, [c for c in rest if c], name, first=names[0] if names else "")
    else:
        time = _present(options.time_column or (), names, f"{name}: time column", lenient)
    if options.columns is None and "" in rest:
        number = names.index("", 1 if names[0] not in rest else 0) + 1
        raise InputError(
            f"{name}: column {number} has no name; allowed: a name for each, or some by columns=A,B,…"
        )
    rest = [c for c in rest if c and c not in time]
    if options.time_column is False:
        rest = [c for c in rest if not _holds_times(table[c])]
    if options.columns is None:
        channels = tuple(rest)
        rows = None if identifier is None else list(table.groupby(identifier, sort=False).indices.values())
        for column in channels:
            _check_channel(
                table[column], name, options, first=column == names[0] and len(channels) > 1, rows=rows
            )
    else:
        _check_beside(table, rest, channels, name, options)
        for column in channels:
            _check_numbers(table[column], name)
    return ColumnRoles(channels, time, identifier, labels, step_labels)


def _present(wanted: Iterable[str], names: Sequence[str], kind: str, lenient: bool) -> tuple[str, ...]:
    wanted = tuple(wanted)
    if lenient:
        return tuple(column for column in wanted if column in names)
    for column in wanted:
        if column not in names:
            raise unknown_name(kind, column, names)
    return wanted


def _without_row_number(table: pd.DataFrame, rest: list[str], names: Sequence[str]) -> list[str]:
    """The columns without the first where it counts the rows, as pandas and others write them."""
    if not rest or rest[0] != names[0] or not pd.api.types.is_integer_dtype(table.iloc[:, 0]):
        return rest
    steps = np.diff(table.iloc[:, 0].to_numpy())
    nameless = not names[0] or names[0].startswith("Unnamed: ")
    counts = (steps > 0).all() if nameless else names[0].lower() in ROW_NUMBERS and (steps == 1).all()
    return rest[1:] if counts else rest


def _holds_times(cells: pd.Series) -> bool:
    """Whether a column holds dates or times of the day, by the first cell that is not missing."""
    if pd.api.types.is_datetime64_any_dtype(cells) or pd.api.types.is_timedelta64_dtype(cells):
        return True
    known = cells.dropna()
    if known.empty or pd.api.types.is_numeric_dtype(cells) or pd.api.types.is_bool_dtype(cells):
        return False
    return looks_like_a_time(str(known.iloc[0]))


def _recognise_time(table: pd.DataFrame, columns: Sequence[str], name: str, *, first: str) -> tuple[str, ...]:
    times = [column for column in columns if _holds_times(table[column])]
    if len(times) == 2 and [is_clock(table[column]) for column in times] == [False, True]:
        return tuple(times)
    if len(times) > 1:
        raise InputError(
            f"{name}: columns {', '.join(map(repr, times))} hold times; allowed: time_column={times[0]} (of the steps), or "
            "time_column=false"
        )
    if times:
        return tuple(times)
    parts = {column.lower(): column for column in columns}
    if {"year", "month", "day"} <= parts.keys():
        return tuple(parts[part] for part in PARTS if part in parts)
    leading = columns and columns[0] == first and pd.api.types.is_numeric_dtype(table[first])
    return (
        (first,) if leading and names_a_time(first) and not pd.api.types.is_bool_dtype(table[first]) else ()
    )


def _values(cells: pd.Series) -> np.ndarray:
    return cells.to_numpy(dtype=np.float64, na_value=np.nan)


def _check_channel(
    cells: pd.Series, name: str, options: SeriesOptions, *, first: bool, rows: Sequence[np.ndarray] | None
) -> None:
    """Refuse a column that nobody named and that need not be a channel."""
    _check_numbers(cells, name)
    title, values = str(cells.name), _values(cells)
    if pd.api.types.is_bool_dtype(cells):
        raise InputError(
            f"{name}: column {title!r} holds true and false; allowed: named in columns=A,B,…,{title} (as 1 and 0), "
            f"label_columns={title} or step_label_columns={title}, or columns=A,B,… without it"
        )
    if options.id_column is None and looks_like_identifier(
        title, values, first=first and len(values) >= BLOCKS
    ):
        way = f"id_column={title} (rows of a recording), columns=A,B,…,{title} (a channel)"
        raise InputError(
            f"{name}: column {title!r} holds whole numbers as an identifier does; " + _NAMED.format(way)
        )
    headless = title == "column_1" and counts_up(values)
    if options.time_column is None and (headless or looks_like_time(title, values, rows)):
        way = f"time_column={title} (of the steps), columns=A,B,…,{title} (a channel)"
        raise InputError(f"{name}: column {title!r} holds numbers as a time does; " + _NAMED.format(way))


def _check_numbers(cells: pd.Series, name: str) -> None:
    if pd.api.types.is_numeric_dtype(cells) or cells.isna().all():
        return
    known = cells.dropna().drop_duplicates()
    texts = known[pd.to_numeric(known, errors="coerce").isna()]
    # A decimal comma is no number to pandas: what no way of writing makes a number is the better example.
    words = texts[~texts.astype(str).str.fullmatch(NUMBER_LIKE.strip("^$")).astype(bool)]
    texts = words if len(words) else texts
    title = str(cells.name)
    example = (
        f"{str(texts.iloc[0])[:60]!r} in data row {texts.index[0] + 1}" if len(texts) else str(cells.dtype)
    )
    ways = [
        f"{option}={title}" for option in ("id_column", "label_columns", "step_label_columns", "time_column")
    ]
    if len(texts) and texts.astype(str).nunique() == 1 and len(texts) < len(known):
        ways.insert(0, f"missing={texts.iloc[0]!s:.60} (a missing value)")
        if texts.index[0] == 0 and (cells == texts.iloc[0]).sum() == 1:
            ways.insert(0, "skip_lines=2 (a line of units below the names)")
    raise InputError(
        f"{name}: column {title!r} holds text ({example}); allowed: numeric columns, chosen with columns=A,B,…; or "
        + ", ".join(ways)
    )


def _check_beside(
    table: pd.DataFrame, rest: Sequence[str], channels: Sequence[str], name: str, options: SeriesOptions
) -> None:
    """Refuse columns beside the named channels that would mix recordings, or that the first file had not."""
    for column in rest:
        cells = table[column]
        mixes = options.id_column is None and bool(column) and cells.nunique() > 1
        if mixes and pd.api.types.is_numeric_dtype(cells) and looks_like_identifier(column, _values(cells)):
            raise InputError(
                f"{name}: column {column!r} holds whole numbers as an identifier does; allowed: id_column={column}, "
                "or id_column=false (all rows are one recording)"
            )
    if options.other_columns == "refuse" and rest:
        raise InputError(
            f"{name}: column {rest[0]!r} is none of the channels {', '.join(channels)} of the file learnt from; allowed: "
            f"the same columns in each file, or columns={','.join(channels)} (others are left out)"
        )
