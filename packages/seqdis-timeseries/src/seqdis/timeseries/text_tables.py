"""A text file (csv, tsv, txt) as a table of numbers and texts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv

from seqdis.core.errors import InputError
from seqdis.timeseries.decimal_marks import MISSING, find_decimal_mark, numbers_of, text_cells
from seqdis.timeseries.headers import has_header
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.separators import NAMES, check_field_counts, find_separator, split_lines
from seqdis.timeseries.text_files import read_text

__all__ = ["read_text_table"]

SAMPLE = 1000
"""Number of lines from which the separator is recognised; all lines are checked against it."""
NUMBERED = "column_"
"""What the columns of a file without a header are called, before their number."""
BLOCK = 1 << 24
"""Bytes that are parsed together; a line is not longer."""
_EXCEL = re.compile(r"sep=(.)", re.IGNORECASE)


@dataclass(frozen=True)
class _Lines:
    """Lines of a file that hold the table, their numbers in the file, the comment above and an empty line among them."""

    texts: list[str]
    numbers: list[int]
    comment: str | None
    separator: str | None
    empty: int | None


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
    lines = _lines(read_text(path, encoding=options.encoding), options, str(path))
    if not lines.texts:
        raise InputError(f"{path}: is empty; a table with at least one row of numbers is needed")
    sep = options.sep or lines.separator
    separator = NAMES.get(sep, sep) if sep else None
    if separator is None:
        separator = find_separator(lines.texts[:SAMPLE], str(path), decimal=options.decimal)
    if len(separator) != 1:
        raise InputError(f"{path}: sep={sep}; allowed: one character, or {', '.join(NAMES)}")
    first = next(split_lines(lines.texts[:SAMPLE], separator))
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


def _lines(text: str, options: SeriesOptions, name: str) -> _Lines:
    skipped = _skipped(options.skip_lines, name)
    texts, numbers = list[str](), list[int]()
    comment = separator = empty = last = None
    for number, line in enumerate(text.split("\n"), start=1):
        if number in skipped:
            continue
        if not line.strip():
            last = number if texts and last is None else last
            continue
        if not texts and separator is None and (mark := _EXCEL.fullmatch(line.strip())):
            separator = mark[1]
        elif line.lstrip().startswith("#"):
            comment = line.lstrip() if not texts else comment
        else:
            empty = last if empty is None else empty
            texts.append(line)
            numbers.append(number)
    return _Lines(texts, numbers, comment, separator, empty)


def _skipped(parts: Sequence[str], name: str) -> set[int]:
    numbers: set[int] = set()
    for part in parts:
        first, _, last = part.partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise InputError(
                f"{name}: skip_lines={part}; allowed: numbers of lines from 1, such as 2 or 1-3,5"
            )
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def _names(comment: str | None, separator: str, count: int) -> list[str]:
    """Names of the columns of a file without a header: a comment above them with as many fields, else numbers."""
    if comment is not None and count > 1:
        fields = [field.strip() for field in next(split_lines([comment.lstrip("#")], separator), [])]
        if len(fields) == count and len(set(fields)) == count:
            return fields
    return [f"{NUMBERED}{i}" for i in range(1, count + 1)]


def _parse(lines: _Lines, separator: str, name: str, count: int) -> pa.Table:
    """All fields as texts."""
    content = "\n".join(lines.texts)
    if separator == " " or re.search(
        rf"{re.escape(separator)}\s+\"", content
    ):  # a space before a quote hides it
        rewritten = io.StringIO()
        csv.writer(rewritten, delimiter=",").writerows(split_lines(lines.texts, separator))
        content, mark = rewritten.getvalue(), ","
    else:
        mark = separator
    wrong = []

    def remember(row: arrow_csv.InvalidRow) -> str:
        wrong.append(row)
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
        check_field_counts(lines.texts, separator, name, numbers=lines.numbers)
        raise InputError(f"{name}: a line has {wrong[0].actual_columns} fields; the first has {count}")
    return table


def _texts(cells: pa.ChunkedArray) -> pd.Series:
    return pd.Series(cells.to_pylist(), dtype=object)


def _column(cells: pa.ChunkedArray, decimal: str) -> pd.Series:
    numbers = numbers_of(cells, decimal)
    if numbers is not None:
        return numbers.to_pandas()
    texts = _texts(cells)
    truths = texts.dropna().str.lower()
    if not truths.isin(["true", "false"]).all():
        return texts
    return texts.str.lower().map({"true": True, "false": False}).astype("boolean")


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
