"""A text file (csv, tsv, txt) as a table of numbers and texts."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from seqdis.core.errors import InputError
from seqdis.core.limits import check_size
from seqdis.timeseries.decimal_marks import MISSING, find_decimal_mark, numbers_of, text_cells
from seqdis.timeseries.headers import has_header
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.separators import NAMES, check_field_counts, find_separator, split_lines
from seqdis.timeseries.table_lines import TableLines, table_lines
from seqdis.timeseries.text_files import read_text

__all__ = ["read_text_table"]

SAMPLE = 1000
"""Number of lines from which the separator is recognised; all lines are checked against it."""
NUMBERED = "column_"
"""What the columns of a file without a header are called, before their number."""
BLOCK = 1 << 24
"""Bytes that are parsed together; a line is not longer."""


def read_text_table(path: Path, options: SeriesOptions) -> pd.DataFrame:
    """Read a text file whole: columns of numbers, and of texts where a cell is no number.

    Separator, decimal mark and header are recognised where the options leave them open and one reading alone is
    possible. Columns of a file without a header are called ``column_1``, ``column_2``, ….

    Args:
        path: The file to read, compressed or not.
        options: The form of the file: ``sep``, ``decimal``, ``header``, ``skip_lines``, ``missing``, ``encoding``.

    Raises:
        InputError: The file is empty or of another encoding, a line has more or fewer fields than the first, or two
            readings are possible.
        OSError, EOFError, ValueError, lzma.LZMAError, zlib.error: The file is missing or damaged.
    """
    lines = table_lines(read_text(path, encoding=options.encoding), options.skip_lines, str(path))
    head = lines.head(SAMPLE)
    if not head:
        raise InputError(f"{path}: is empty; a table with at least one row of numbers is needed")
    sep = options.sep or lines.separator
    separator = NAMES.get(sep, sep) if sep else None
    if separator is None:
        separator = find_separator(head, str(path), decimal=options.decimal)
    if len(separator) != 1:
        raise InputError(f"{path}: sep={sep}; allowed: one character, or {', '.join(NAMES)}")
    first = next(split_lines(head, separator))
    check_size(path, len(first), "columns", what="columns")
    if len(first) == 1 and lines.empty is not None:
        raise InputError(
            f"{path}: line {lines.empty} of one column is empty; allowed: NA for a missing value, or skip_lines={lines.empty}"
        )
    header = has_header(first, str(path)) if options.header is None else options.header
    names = [field.strip() for field in first] if header else _names(lines.comment, separator, len(first))
    cells = _parse(lines, separator, str(path), len(first)).slice(1 if header else 0)
    given = frozenset(options.missing or ())
    named = {options.id_column, *options.label_columns, *options.step_label_columns}
    columns = [
        text_cells(column, given | ({""} if title in named else MISSING))
        for title, column in zip(names, cells.columns, strict=True)
    ]
    by_name = {title: column for title, column in zip(names, columns, strict=True) if title not in named}
    decimal = options.decimal or find_decimal_mark(by_name, str(path), separator=separator)
    # Of an identifier and a class, 007 is not 7, and NA is a name as any other.
    read = [
        _texts(column) if title in named else _column(column, decimal)
        for title, column in zip(names, columns, strict=True)
    ]
    table = pd.concat(read, axis=1) if read else pd.DataFrame()
    table.columns = names
    return _without_empty_end(table)


def _names(comment: str | None, separator: str, count: int) -> list[str]:
    """Names of the columns of a file without a header: a comment above them with as many fields, else numbers."""
    if comment is not None and count > 1:
        fields = [field.strip() for field in next(split_lines([comment.lstrip("#")], separator), [])]
        if len(fields) == count and len(set(fields)) == count:
            return fields
    return [f"{NUMBERED}{i}" for i in range(1, count + 1)]


def _parse(lines: TableLines, separator: str, name: str, count: int) -> pa.Table:
    """All fields as texts."""
    content = lines.content
    # A space before a quote hides it.
    if separator == " " or re.search(rf"{re.escape(separator)} +\"", content):
        rewritten = io.StringIO()
        csv.writer(rewritten, delimiter=",").writerows(split_lines(lines, separator))
        content, mark = rewritten.getvalue(), ","
    else:
        mark = separator
    wrong: list[arrow_csv.InvalidRow] = []

    def remember(row: arrow_csv.InvalidRow) -> str:
        wrong[:1] = [row]
        return "skip"

    titles = [f"f{i}" for i in range(count)]
    try:
        table = arrow_csv.read_csv(
            io.BytesIO(content.encode()),
            read_options=arrow_csv.ReadOptions(column_names=titles, block_size=BLOCK),
            parse_options=arrow_csv.ParseOptions(
                delimiter=mark,
                newlines_in_values='"' in content,
                invalid_row_handler=remember,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(titles, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(f"{name}: cannot be read as a table: {' '.join(str(error).split())}") from error
    if wrong:
        check_field_counts(lines, separator, name, numbers=lines.numbers())
        raise InputError(f"{name}: a line has {wrong[0].actual_columns} fields; the first has {count}")
    return table


def _texts(cells: pa.ChunkedArray) -> pd.Series:
    # Equal cells are one object: a million copies of a word would take as many times its memory.
    coded = cells.dictionary_encode().combine_chunks()
    coded = coded if isinstance(coded, pa.DictionaryArray) else pa.chunked_array([coded]).combine_chunks()
    words = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    return pd.Series(
        words[coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)], dtype=object
    )


def _column(cells: pa.ChunkedArray, decimal: str) -> pd.Series:
    numbers = numbers_of(cells, decimal)
    if numbers is not None:
        return numbers.to_pandas()
    lowered = pc.utf8_lower(cells)
    if not pc.all(pc.is_in(lowered.drop_null(), pa.array(["true", "false"])), min_count=0).as_py():
        return _texts(cells)
    return pc.equal(lowered, "true").to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)


def _is_nameless(column: str) -> bool:
    return not column or column.startswith(NUMBERED)


def _without_empty_end(table: pd.DataFrame) -> pd.DataFrame:
    """The table without rows at its end, and columns without a name, that hold nothing: what spreadsheets leave."""
    filled = table.notna().any(axis=1).to_numpy()
    rows = len(filled) - int(filled[::-1].argmax()) if filled.any() else 0
    kept = [
        not _is_nameless(name) or bool(table.iloc[:, i].notna().any()) for i, name in enumerate(table.columns)
    ]
    return table.loc[: rows - 1 if rows else -1, kept] if rows else table.iloc[:0]
