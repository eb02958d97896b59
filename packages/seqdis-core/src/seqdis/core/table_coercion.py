"""Long tables of series (a row a step) as one array a sequence, whichever library made the table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

from seqdis.core.column_kinds import looks_like_identifier, looks_like_time
from seqdis.core.errors import InputError, unknown_name

__all__ = ["TableParts", "is_table", "read_table"]

_KINDS = {"id_column": "an identifier", "time_column": "a time"}
_MISSING = ("nan", "<NA>", "NaT")
_ISO_DATE = re.compile(r"NaT$|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?$")


@dataclass(frozen=True)
class TableParts:
    """The sequences of a table.

    Attributes:
        values: The channels of each sequence, ``(V, F)``, NaN where an entry is missing.
        keys: Names of the sequences; empty where the whole table is one.
        stamps: Time stamp of each step, ``(V,)`` a sequence, or None.
        columns: Names of the channels, as the table spells them.
    """

    values: list[np.ndarray]
    keys: tuple[str, ...]
    stamps: list[np.ndarray] | None
    columns: tuple[Any, ...]


def is_table(data: Any) -> bool:
    """Whether the data are a data frame: columns by name, each of which becomes an array."""
    return hasattr(data, "columns") and hasattr(data, "to_numpy") and hasattr(data, "__getitem__")


def read_table(
    table: Any,
    *,
    id_column: str | None,
    time_column: str | None,
    columns: Sequence[str] | None,
    name: str,
) -> TableParts:
    """Take a long table apart into sequences, in the order in which they first occur.

    Args:
        table: A data frame with a row a step; rows of several sequences may be mixed.
        id_column: The column that names a row's sequence; all rows are one sequence when omitted.
        time_column: The column that holds a row's time, which must increase within a sequence.
        columns: The columns that are channels; all further columns of numbers when omitted.
        name: The name of the table in error messages.

    Raises:
        InputError: A column is missing, named twice, or holds no numbers, one that looks like an identifier or a time is
            not named, an identifier or a time is missing, the table is empty, or its rows are not in the order of their
            time.
    """
    names, levels = list(table.columns), _index_levels(table)
    if len(levels) > 1 and id_column is None and time_column is None:
        raise InputError(
            f"{name}: an index of the levels {', '.join(map(str, levels))}; allowed: one of them as id_column or time_column, "
            "or no levels"
        )
    double = next((str(column) for i, column in enumerate(names) if column in names[:i]), None)
    if double is not None:
        raise InputError(f"{name}: two columns are called {double!r}; allowed: each name once")
    for wanted in [id_column, time_column, *(columns or ())]:
        known = [*names, *levels] if wanted in (id_column, time_column) else names
        if wanted is not None and wanted not in known:
            raise unknown_name(f"column of {name}", str(wanted), map(str, known))
    apart = {id_column, time_column}
    if id_column is None and len(table):
        _check_index(table, name)
    if columns is None:
        if len(table):
            _check_claimed(table, [n for n in names if n not in apart], id_column, time_column, name)
        columns = [column for column in names if column not in apart and _is_numeric(table[column])]
    if not columns or not len(table):
        raise InputError(
            f"{name}: a table of {len(table)} rows with {len(columns)} columns of numbers besides id and time; "
            "allowed: one of each or more"
        )
    values = np.stack([_numbers(table[column], f"{name}: column {column!r}") for column in columns], axis=1)
    keys, rows = _groups(table, id_column, name)
    stamps = times = None
    if time_column is not None:
        times = _times(_column(table, time_column), f"{name}: column {time_column!r}")
    elif id_column in levels and len(levels) > 1:
        time_column = _level_of_time(table, [level for level in levels if level != id_column], name)
        times = _times(_column(table, time_column), f"{name}: level {time_column!r}")
    elif _is_dated(getattr(table, "index", None)):
        times, time_column = _times(table.index, f"{name}: index"), "index"
    if times is not None:
        stamps = [times[chosen] for chosen in rows]
        for i, part in enumerate(stamps):
            _check_order(part, rows[i], f"{name}: sequence {keys[i] if keys else i}", str(time_column))
    return TableParts([values[chosen] for chosen in rows], keys, stamps, tuple(columns))


def _is_dated(column: Any) -> bool:
    """Whether a column, or an index of one level, holds dates."""
    kind = str(getattr(column, "dtype", "")).lower()
    return kind.startswith(("datetime", "date"))


def _check_claimed(
    table: Any, names: Sequence[Any], id_column: str | None, time_column: str | None, name: str
) -> None:
    """Refuse columns that look like identifiers or times and are not named as such: rows would be read as one sequence."""
    for option, given, looks in (("id_column", id_column, _is_text), ("time_column", time_column, _is_dated)):
        unclaimed = [column for column in names if given is None and looks(table[column])]
        if unclaimed:
            raise InputError(
                f"{name}: column {str(unclaimed[0])!r} holds {table[unclaimed[0]].dtype}; allowed: named as {option} (in as_sequences "
                "or fit), or left out by columns, which names the channels"
            )
    rows = None if id_column is None else _groups(table, id_column, name)[1]
    for column in names:
        if _is_truth(table[column]):
            raise InputError(
                f"{name}: column {str(column)!r} holds {table[column].dtype}, true and false; allowed: named in columns, as 1 "
                "and 0, or left out by them"
            )
        if not _is_numeric(table[column]):
            continue
        values = _numbers(table[column], f"{name}: column {column!r}")
        for option, is_claimed in (
            ("id_column", id_column is None and looks_like_identifier(str(column), values)),
            ("time_column", time_column is None and looks_like_time(str(column), values, rows)),
        ):
            if is_claimed:
                raise InputError(
                    f"{name}: column {str(column)!r} holds {table[column].dtype} as {_KINDS[option]} does; allowed: named as "
                    f"{option} (in as_sequences or fit), or in columns, which names the channels"
                )


def _check_index(table: Any, name: str) -> None:
    """Refuse an index whose texts name several rows each, as those of an identifier do."""
    index = getattr(table, "index", None)
    if index is None or getattr(index, "nlevels", 1) > 1 or not _is_text(index):
        return
    values = index.to_numpy().tolist()
    if len(set(values)) < len(values):
        title = index.name
        way = (
            f"id_column={title!r}"
            if title is not None
            else "a name for it (rename_axis) and that as id_column"
        )
        raise InputError(
            f"{name}: an index of texts that occur several times ({values[0]!r}, …); allowed: {way}"
        )


def _level_of_time(table: Any, levels: Sequence[str], name: str) -> str:
    """The one level of the index that holds dates."""
    dated = [level for level in levels if _is_dated(_column(table, level))]
    if len(dated) != 1:
        raise InputError(
            f"{name}: index levels {', '.join(map(str, levels))} beside the id; allowed: one as time_column"
        )
    return dated[0]


def _is_truth(column: Any) -> bool:
    kind = str(column.dtype).lower()
    if kind.startswith("bool"):
        return True
    values = [value for value in column.to_numpy().tolist() if value is not None] if kind == "object" else []
    return bool(values) and all(isinstance(value, bool) for value in values)


def _is_text(column: Any) -> bool:
    kind = str(column.dtype).lower()
    return kind.startswith(("str", "utf8", "cat", "enum")) or (
        kind == "object" and any(isinstance(value, str) for value in column.to_numpy().tolist())
    )


def _index_levels(table: Any) -> list[str]:
    """The names of the index of a pandas table; none in other libraries, or where the index has no name."""
    return [level for level in getattr(getattr(table, "index", None), "names", []) if level is not None]


def _column(table: Any, name: str) -> Any:
    """A column, or the level of the index that has its name."""
    return table[name] if name in list(table.columns) else table.index.get_level_values(name)


def _is_numeric(column: Any) -> bool:
    if callable(getattr(column.dtype, "is_numeric", None)):  # polars
        return bool(column.dtype.is_numeric())
    kind = getattr(column.dtype, "kind", "O")
    return _all_numbers(column.to_numpy().tolist()) if kind == "O" else kind in "iuf"


def _all_numbers(values: Iterable[Any]) -> bool:
    """Whether values of any type are numbers (a Decimal is one, a truth value is none), and not all are missing."""
    known = [value for value in values if value is not None and str(value) not in _MISSING]
    return bool(known) and all(
        isinstance(value, Real | Decimal) and not isinstance(value, bool) for value in known
    )


def _numbers(column: Any, name: str) -> np.ndarray:
    try:
        values = column.to_numpy()
        if values.dtype == object:  # nullable columns: pandas.NA, None
            missing = np.array([value is None or str(value) in _MISSING for value in values.tolist()])
            values = np.where(missing, np.nan, values)
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: {column.dtype} cannot be read as numbers: {error}") from error


def _times(column: Any, name: str) -> np.ndarray:
    values = column.to_numpy()
    if values.dtype == object and getattr(column.dtype, "kind", "O") == "M":  # a time zone: as UTC
        values = column.to_numpy(dtype="datetime64[ns]")
    if values.dtype.kind not in "iufMm":
        values = _read_dates(values, column, name)
    if values.dtype.kind == "m":
        values = values / np.timedelta64(1, "s")  # NaN where there is none
    missing = np.isnat(values) if values.dtype.kind == "M" else np.isnan(values)
    if missing.any():
        raise InputError(f"{name}: no time in row {int(missing.argmax())}; allowed: a time in every row")
    return np.asarray(values)


def _read_dates(values: np.ndarray, column: Any, name: str) -> np.ndarray:
    """Dates, or text in the form of ISO 8601 (``2026-01-31 12:30``), as ``datetime64``; NaT where there is none."""
    try:
        texts = ["NaT" if str(value) in ("None", *_MISSING) else str(value) for value in values.tolist()]
        if any(not _ISO_DATE.match(text) for text in texts):
            raise ValueError
        return np.array(texts, dtype="datetime64[us]")
    except ValueError:
        raise InputError(
            f"{name}: {column.dtype}; allowed: numbers, times, or text such as 2026-01-31 12:30 (see pandas.to_datetime)"
        ) from None


def _groups(table: Any, id_column: str | None, name: str) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The key of each sequence and the numbers of its rows, in the table's order."""
    if id_column is None:
        return (), [np.arange(len(table))]
    numbers: dict[Any, int] = {}
    group = np.empty(len(table), dtype=np.int64)
    for row, value in enumerate(_column(table, id_column).to_numpy().tolist()):
        if value is None or (not isinstance(value, str) and str(value) in _MISSING):
            raise InputError(
                f"{name}: column {id_column!r} names no sequence in row {row}; allowed: a name in each"
            )
        group[row] = numbers.setdefault(value, len(numbers))
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(1, len(numbers)))
    return tuple(map(str, numbers)), np.split(order, starts)


def _check_order(times: np.ndarray, rows: np.ndarray, name: str, column: str) -> None:
    late = times[1:] <= times[:-1]
    if late.any():
        at = int(late.argmax()) + 1
        raise InputError(
            f"{name}: {column!r} is {times[at]} in row {rows[at]}, after {times[at - 1]}; allowed: times that increase"
        )
