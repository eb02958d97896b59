"""Tables in files: text files and parquet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd

from seqdis.core.reading import readable
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.parquet_claims import check_parquet
from seqdis.timeseries.text_files import COMPRESSIONS
from seqdis.timeseries.text_tables import read_text_table

__all__ = ["TABLES", "read_frame"]

TABLES = (
    *(f"{kind}{packed}" for kind in (".csv", ".tsv", ".txt") for packed in ("", *COMPRESSIONS)),
    ".parquet",
)
"""Suffixes of tables."""


def read_frame(path: Path, options: SeriesOptions | None = None) -> pd.DataFrame:
    """Read a table whole, all columns as they are; the index of a parquet file becomes columns.

    Args:
        path: The file to read.
        options: The form of a text file; recognised when omitted.

    Raises:
        InputError: The file is missing, damaged or empty, or can be read in two ways.
    """
    with readable(path, "a table"):
        if path.name.lower().endswith(".parquet"):
            check_parquet(path)
            table = pd.read_parquet(path)
            decimals = [
                title
                for title, kind in table.dtypes.items()
                if kind.kind == "O" and _are_decimals(table[title])
            ]
            table = table.astype(dict.fromkeys(decimals, "float64"))
            if not isinstance(table.index, pd.RangeIndex):
                named = [
                    level or ("" if i == 0 else f"level_{i}") for i, level in enumerate(table.index.names)
                ]
                table = table.reset_index(names=named)
        else:
            table = read_text_table(path, options or SeriesOptions())
    table.columns = [str(name) for name in table.columns]
    return table.reset_index(drop=True)


def _are_decimals(cells: pd.Series) -> bool:
    known = cells.dropna()
    return not known.empty and all(isinstance(value, Decimal) for value in known)
