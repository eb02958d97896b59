"""Tables of numbers as series: csv, parquet, npy and npz in; csv, parquet and npy out."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.files import replace_file

__all__ = ["READS", "WRITES", "read_frame", "read_series", "series_of_table", "write_series"]

READS = (".csv", ".csv.gz", ".csv.xz", ".parquet", ".npy", ".npz")
WRITES = (".csv", ".parquet", ".npy")

# A damaged file shows as any of these, by the library that met it (pandas' and pyarrow's own are ValueErrors).
_DAMAGE = (OSError, ValueError, EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)


def read_series(path: Path, *, columns: Sequence[str] | None = None, time_column: str | None = None) -> Clip:
    """Read a file whole as ``(T, F)`` in the file's units.

    A missing cell (empty, ``NA``, NaN) is False in ``observed`` and holds its column's mean, so
    that a reader who ignores the mask still sees an ordinary value.

    Args:
        path: A table (csv with or without a header, also .gz and .xz; parquet) or an array (npy;
            npz with one array, or with ``x`` and a boolean ``observed``), ``(T, F)`` or ``(T,)``.
        columns: Names of a table's columns to take as channels, in order; all numeric ones when omitted.
        time_column: Name of a table's column to leave out; a leading date, time or unnamed row number is
            recognised without it.

    Raises:
        InputError: The file is missing, damaged or empty; a column is unknown or holds text; a
            value is infinite.
    """
    name = path.name.lower()
    if name.endswith((".npy", ".npz")):
        values, observed = _read_array(path)
        names: Sequence[str] = [str(i) for i in range(values.shape[1])]
        if columns is not None and len(columns) != len(names):
            raise InputError(f"{path}: an array of {len(names)} columns; columns= names {len(columns)}")
        names = columns or names
    else:
        table = read_frame(path)
        if table.empty:
            raise InputError(f"{path}: holds no rows of numbers; at least one is needed")
        chosen = series_of_table(table, str(path), columns=columns, time_column=time_column)
        names, values = list(chosen.columns), chosen.to_numpy(np.float64, na_value=np.nan)
        observed = ~np.isnan(values)
    if 0 in values.shape:
        raise InputError(f"{path}: holds no rows of numbers; at least one is needed")
    return _clip(values, observed, names, path)


def _clip(values: np.ndarray, observed: np.ndarray, names: Sequence[str], path: Path) -> Clip:
    with np.errstate(over="ignore"):
        infinite = np.argwhere(np.isinf(values.astype(np.float32)) & observed)
    if len(infinite):
        row, column = infinite[0]
        raise InputError(
            f"{path}: column {names[column]!r} is {values[row, column]} in data row {row + 1}; "
            "allowed: finite numbers, and empty or NaN for a missing one"
        )
    count = observed.sum(0)
    mean = np.where(observed, values, 0).sum(0) / np.maximum(count, 1)
    filled = torch.from_numpy(np.where(observed, values, mean)).float()
    return Clip(filled, path.name, observed=None if observed.all() else torch.from_numpy(observed))


def _read_array(path: Path) -> tuple[np.ndarray, np.ndarray]:
    seen = None
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            values = loaded
        else:
            with loaded:
                names = list(loaded.files)
                if len(names) != 1 and not {"x"} <= set(names) <= {"x", "observed"}:
                    raise InputError(f"{path}: holds arrays {names}; allowed: one, or 'x' and 'observed'")
                values = loaded["x" if len(names) > 1 else names[0]]
                seen = loaded["observed"] if len(names) > 1 else None
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{path}: cannot be read as {path.suffix}: {_one_line(error)}") from error
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        raise InputError(
            f"{path}: an array {values.shape} of {values.dtype}; allowed: numbers, (T, F) or (T,)"
        )
    values = values.astype(np.float64)
    observed = ~np.isnan(values)
    if seen is not None:
        if seen.shape != values.shape or seen.dtype != np.bool_:
            raise InputError(
                f"{path}: 'observed' is {seen.shape} of {seen.dtype}; allowed: bool {values.shape}"
            )
        observed &= seen
    return values, observed


def read_frame(path: Path) -> pd.DataFrame:
    """Read a csv or parquet file whole, all columns as they are.

    Raises:
        InputError: The file is missing, damaged or empty.
    """
    try:
        if path.name.lower().endswith(".parquet"):
            return pd.read_parquet(path).reset_index(drop=True)
        first = pd.read_csv(path, header=None, nrows=1, dtype=str, skipinitialspace=True)
        numeric = pd.to_numeric(first.iloc[0], errors="coerce").notna()
        headless = bool(numeric[1:].all() and (numeric[0] or (len(numeric) > 1 and _is_clock(first[0]))))
        table = pd.read_csv(path, header=None if headless else 0, skipinitialspace=True, low_memory=False)
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}: is empty; a table with at least one row of numbers is needed") from None
    except _DAMAGE as error:
        raise InputError(f"{path}: cannot be read as a table: {_one_line(error)}") from error
    table.columns = [str(name) for name in table.columns]
    return table


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def series_of_table(
    table: pd.DataFrame, name: str, *, columns: Sequence[str] | None = None, time_column: str | None = None
) -> pd.DataFrame:
    """The numeric channels of a table; see :func:`read_series`.

    Args:
        table: The table, as a pandas data frame.
        name: The name of the table's source, for error messages.
        columns: Names of the columns to take as channels; all numeric ones when omitted.
        time_column: Name of the column to leave out.

    Raises:
        InputError: A named column is absent, or one that is taken holds text.
    """
    if time_column is not None and time_column not in table:
        raise unknown_name(f"{name}: time column", time_column, table.columns)
    if columns is None:
        taken = [c for i, c in enumerate(table) if c != time_column and not (i == 0 and _is_clock(table[c]))]
    else:
        taken = list(columns)
        for column in taken:
            if column not in table:
                raise unknown_name(f"{name}: column", column, table.columns)
    for column in taken:
        if not pd.api.types.is_numeric_dtype(table[column]):
            cells = table[column].dropna()
            text = cells[pd.to_numeric(cells, errors="coerce").isna()]
            example = (
                f"{str(text.iloc[0])!r} in data row {text.index[0] + 1}"
                if len(text)
                else str(table[column].dtype)
            )
            raise InputError(
                f"{name}: column {column!r} holds text ({example}); "
                "allowed: numeric columns, or choose some with columns=A,B,…"
            )
    return table[taken]


def _is_clock(column: pd.Series) -> bool:
    # pandas calls a column without a header "Unnamed: N": what DataFrame.to_csv leaves for the row number.
    if str(column.name).startswith("Unnamed: ") or pd.api.types.is_datetime64_any_dtype(column):
        return True
    if pd.api.types.is_numeric_dtype(column) or column.empty:
        return False
    return bool(pd.to_datetime(column.astype(str), errors="coerce", format="mixed").notna().all())


def write_series(path: Path, frames: Tensor, *, columns: Sequence[str] | None = None) -> None:
    """Write ``(T, F)`` as the kind of file that the suffix names; it appears whole or not at all.

    Args:
        path: The file to write, whose suffix is one of ``WRITES``.
        frames: Frames ``(T, F)`` in natural units.
        columns: Names of the channels; ``channel_0``, … when omitted.

    Raises:
        InputError: The number of names is not F, or the file cannot be written.
    """
    values = frames.detach().float().cpu().numpy()
    names = list(columns) if columns is not None else [f"channel_{i}" for i in range(values.shape[1])]
    if len(names) != values.shape[1]:
        raise InputError(
            f"{path}: {values.shape[1]} channels, but {len(names)} column names ({', '.join(names)})"
        )
    with replace_file(path) as partial:
        if path.suffix.lower() == ".npy":
            np.save(partial, values)
        elif path.suffix.lower() == ".parquet":
            pd.DataFrame(values, columns=names).to_parquet(partial, index=False)
        else:
            pd.DataFrame(values, columns=names).to_csv(partial, index=False)
