"""Series as users of scikit-learn and aeon hold them, read as :class:`~seqdis.core.sequences.Sequences`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from seqdis.core.coercion import as_sequences
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.core.table_coercion import is_table, read_table

__all__ = ["LAYOUTS", "EstimatorInput", "Layout", "holds_rows", "read_rows", "read_series_input"]

Layout = Literal["NTF", "NFT"]
LAYOUTS: tuple[str, ...] = get_args(Layout)


@dataclass(frozen=True)
class EstimatorInput:
    """The series that an estimator was given.

    Attributes:
        sequences: The series, one a sample, padded to one length.
        columns: Names of the channels, where tables named them.
        ids: The identifier of each series, where a long table named them, in the order of first occurrence.
    """

    sequences: Sequences
    columns: tuple[Any, ...] = ()
    ids: np.ndarray | None = None


def holds_rows(X: Any, id_column: str | None) -> bool:
    """Whether the data are two-dimensional, one series of one channel a row, as scikit-learn holds its samples.

    Args:
        X: The data that an estimator was given.
        id_column: The column that makes a table a long one.

    Raises:
        InputError: A table has several levels of index, which none of its columns names as identifiers.
    """
    if is_table(X):
        if id_column is None and getattr(getattr(X, "index", None), "nlevels", 1) > 1:
            levels = ", ".join(map(str, X.index.names))
            raise InputError(
                f"X: a table whose index has the levels {levels}; allowed: id_column, which names the one that tells the "
                "series apart"
            )
        return id_column is None
    if isinstance(X, (list, tuple)):
        return False
    dimensions = X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim
    return dimensions == 2 or (dimensions < 2 and getattr(X, "dtype", None) != np.dtype(object))


def read_rows(X: np.ndarray) -> EstimatorInput:
    """Read checked numbers ``(N, T)`` as N series of one channel."""
    return EstimatorInput(as_sequences(X[:, :, None], frame_shape=(1,), name="X"))


def read_series_input(
    X: Any,
    *,
    layout: Layout = "NTF",
    id_column: str | None = None,
    time_column: str | None = None,
    columns: Sequence[Any] | None = None,
    known_columns: Sequence[Any] | None = None,
) -> EstimatorInput:
    """Read whatever is not two-dimensional: an array of three dimensions, a list, a long table.

    Args:
        X: ``(N, T, F)``; a list of ``(T, F)``, ``(T,)`` or tables, of any lengths; or a long table, a row a step.
        layout: ``"NFT"`` for arrays ``(N, F, T)`` and ``(F, T)``.
        id_column: The column of a table that names a row's series.
        time_column: The column of a table that holds a row's time.
        columns: The columns of a table that are channels; all further columns of numbers when omitted.
        known_columns: The channels that a table had to which an estimator was fitted; they stand for ``columns`` of
            a table where these are omitted.

    Raises:
        InputError: The data are of another kind or shape, empty, or infinite somewhere; or options of tables are
            given beside data of another kind.
    """
    if is_table(X):
        chosen = known_columns if columns is None else columns
        table = read_table(X, id_column=id_column, time_column=time_column, columns=chosen, name="X")
        sequences = as_sequences(table.values, frame_shape=(None,), name="X")
        return EstimatorInput(sequences, table.columns, _identifiers(X, id_column))
    entries = list(X) if isinstance(X, (list, tuple)) or getattr(X, "dtype", None) == np.dtype(object) else []
    if entries and all(map(is_table, entries)):
        return _read_tables(entries, id_column, time_column, known_columns if columns is None else columns)
    for option, given in (("id_column", id_column), ("time_column", time_column), ("columns", columns)):
        if given is not None:
            raise InputError(f"X: {option} is for a table; got {type(X).__name__}")
    if not entries and not isinstance(X, (list, tuple)):
        array = X if hasattr(X, "swapaxes") else np.asarray(X)
        if array.ndim != 3:
            raise InputError(
                f"X: shape {tuple(array.shape)}; allowed: (N, T, F), (N, F, T) with layout='NFT', (N, T) of one "
                "channel, a list of arrays, a table"
            )
        turned = array.swapaxes(1, 2) if layout == "NFT" else array
        return EstimatorInput(as_sequences(turned, frame_shape=(None,), name="X"))
    series = [_steps_first(entry, layout) for entry in entries]
    return EstimatorInput(as_sequences(series, frame_shape=(None,), name="X"))


def _steps_first(entry: Any, layout: Layout) -> Any:
    """One series as ``(T, F)``; one dimension is one channel."""
    array = entry if hasattr(entry, "swapaxes") else np.asarray(entry)
    if array.ndim == 1:
        return array[:, None]
    return array.swapaxes(0, 1) if layout == "NFT" and array.ndim == 2 else array


def _read_tables(
    tables: Sequence[Any], id_column: str | None, time_column: str | None, columns: Sequence[Any] | None
) -> EstimatorInput:
    """One table a series; the first one says which columns are channels."""
    values = []
    for number, table in enumerate(tables):
        name = f"X: sequence {number}"
        present = id_column if id_column is not None and id_column in _names(table) else None
        parts = read_table(table, id_column=present, time_column=time_column, columns=columns, name=name)
        if len(parts.values) > 1:
            raise InputError(
                f"{name}: a table of {len(parts.values)} values of {id_column!r}; allowed: one a table"
            )
        values += parts.values
        columns = parts.columns
    return EstimatorInput(as_sequences(values, frame_shape=(None,), name="X"), tuple(columns or ()))


def _names(table: Any) -> list[Any]:
    return [*table.columns, *getattr(getattr(table, "index", None), "names", [])]


def _identifiers(table: Any, id_column: str | None) -> np.ndarray | None:
    if id_column is None:
        return None
    column = table[id_column] if id_column in list(table.columns) else table.index.get_level_values(id_column)
    return np.array(list(dict.fromkeys(column.to_numpy().tolist())), dtype=object)
