"""Shards of factors joined into two tables, a shard in memory at a time."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqdis.core.analysis.factor_shards import FactorShards
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file

__all__ = ["check_table_libraries", "table_paths", "write_tables"]

_NEEDED = {".csv": ("pandas",), ".parquet": ("pandas", "pyarrow")}


def table_paths(out: Path) -> tuple[Path, Path]:
    """The two files of ``factors.csv``: ``factors.static.csv`` and ``factors.dynamic.csv``."""
    return (
        out.with_name(f"{out.stem}.static{out.suffix}"),
        out.with_name(f"{out.stem}.dynamic{out.suffix}"),
    )


def check_table_libraries(out: Path) -> None:
    """Check that what writes this kind of table is installed.

    Raises:
        InputError: A package is absent; the message says how to get it.
    """
    for name in _NEEDED[out.suffix.lower()]:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise InputError(f"{out}: the package {name} is not installed; pip install {name}") from error


def write_tables(shards: FactorShards, out: Path) -> tuple[Path, Path]:
    """Write a table with a row a sequence and one with a row a step, both or neither; see
    :class:`~seqdis.core.factor_tables.FactorTables`.

    Raises:
        InputError: A package is absent, or the disk is full.
    """
    check_table_libraries(out)
    paths = table_paths(out)
    existed = [path.exists() for path in paths]
    try:
        with contextlib.ExitStack() as stack:
            partial = [stack.enter_context(replace_file(path)) for path in paths]
            writer = _write_csv if out.suffix.lower() == ".csv" else _write_parquet
            writer(partial, (factors.to_pandas() for factors in shards))
    except BaseException:
        # The second of them takes its place after the first: without it the first goes again.
        for path, before in zip(paths, existed, strict=True):
            if not before:
                path.unlink(missing_ok=True)
        raise
    return paths


def _write_csv(paths: list[Path], tables: Iterator[Any]) -> None:
    for number, both in enumerate(tables):
        for path, table in zip(paths, (both.static, both.dynamic), strict=True):
            table.to_csv(path, mode="a" if number else "w", header=number == 0)


def _write_parquet(paths: list[Path], tables: Iterator[Any]) -> None:
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    with contextlib.ExitStack() as stack:
        writers: list[Any] = []
        for both in tables:
            for number, table in enumerate((both.static, both.dynamic)):
                rows = arrow.Table.from_pandas(
                    table.reset_index(), preserve_index=False
                ).replace_schema_metadata()
                if len(writers) <= number:
                    writers.append(stack.enter_context(parquet.ParquetWriter(paths[number], rows.schema)))
                writers[number].write_table(rows.cast(writers[number].schema))
