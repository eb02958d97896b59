"""Numbers in the texts of a table: their decimal mark, and the marks between thousands."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from seqdis.core.errors import InputError

__all__ = ["MISSING", "NUMBER_LIKE", "find_decimal_mark", "numbers_of", "text_cells"]

MISSING = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "NAN", "NaT", "None", "n/a", "nan", "null",
})  # fmt: skip
"""Cells that mean a missing value wherever they stand."""

_HEAD = 1000
MINUS = "\u2212"
"""The minus of typesetters."""
_SPACES = " \u00a0\u202f'’"  # what stands between thousands in several countries
NUMBER_LIKE = rf"^[+-]?[\d.,{_SPACES}]*\d[\d.,{_SPACES}]*([eE][+-]?\d+)?$"
"""Pattern of a cell that is a number with either decimal mark."""


def _patterns(mark: str, other: str) -> tuple[str, str, str]:
    """Patterns of a cell that only fits a decimal mark, of one that fits both, and of every number with that mark."""
    d, t = re.escape(mark), re.escape(other)
    decisive = (
        rf"^[+-]?(\d*{d}\d{{1,2}}|\d*{d}\d{{4,}}|0\d*{d}\d+|{d}\d+|\d{{4,}}{d}\d+|\d{{1,3}}([{t}{_SPACES}]\d{{3}})+{d}\d*"
        rf"|\d{{1,3}}({t}\d{{3}}){{2,}}|\d+{d}\d+[eE][+-]?\d+)([eE][+-]?\d+)?$"
    )
    either = rf"^[+-]?[1-9]\d{{0,2}}{d}\d{{3}}$"
    whole = rf"^[+-]?(\d{{1,3}}([{t}{_SPACES}]\d{{3}})+|\d+)?({d}\d*)?([eE][+-]?\d+)?$"
    return decisive, either, whole


def _holds(column: pa.ChunkedArray, mark: str) -> bool:
    return bool(pc.any(pc.match_substring(column, mark), min_count=0).as_py())


def _any(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def _all(column: pa.ChunkedArray, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern), min_count=0).as_py())


def _first(column: pa.ChunkedArray, pattern: str) -> str:
    """The first cell that a pattern fits, with its row, for a message."""
    texts = enumerate(column.to_pylist(), start=1)
    row, text = next((row, text) for row, text in texts if text is not None and re.search(pattern, text))
    return f"{text!r} in data row {row}"


def find_decimal_mark(columns: Mapping[str, pa.ChunkedArray], name: str, *, separator: str) -> str:
    """The decimal mark of a table's numbers, by the cells that can be read in one way alone.

    ``0,5`` or ``1.234,5`` has a decimal comma, ``0.5`` or ``1,234.5`` a decimal point; ``1,234`` may be either.

    Args:
        columns: The texts of each column, None where a cell is missing.
        name: The file's name, for the message.
        separator: The separator of the fields: beside a semicolon, a point may stand between thousands.

    Raises:
        InputError: Cells contradict each other, or those of a column may be read in both ways.
    """
    with_mark = {mark: {title for title, cells in columns.items() if _holds(cells, mark)} for mark in ",."}
    if separator != ";" and not with_mark[","]:
        return "."
    loose = {
        title: cells
        for title, cells in columns.items()
        if title in with_mark[","] | with_mark["."] and _all(cells, NUMBER_LIKE)
    }
    found: dict[str, str] = {}
    unsure: dict[str, list[str]] = {",": [], ".": []}
    for mark, other in ((",", "."), (".", ",")):
        decisive, either, _ = _patterns(mark, other)
        own = _patterns(other, mark)[0]
        for title, column in loose.items():
            if _any(column, decisive):
                found.setdefault(mark, title)
            elif _any(column, either) and not _any(column, own):
                unsure[mark].append(title)
    if len(found) == 2:
        comma, point = (
            f"{found[mark]!r} ({_first(loose[found[mark]], _patterns(mark, other)[0])})"
            for mark, other in (",.", ".,")
        )
        raise InputError(
            f"{name}: a decimal comma in column {comma} and a decimal point in column {point}; allowed: one decimal mark, or "
            "some columns (columns=A,B,…)"
        )
    mark = next(iter(found), ".")
    doubtful = unsure[","] if mark == "." else unsure["."]
    if not found:
        doubtful = unsure[","] + unsure["."]
    if doubtful:
        title = doubtful[0]
        shown = _first(columns[title], _patterns(*((",", ".") if title in unsure[","] else (".", ",")))[1])
        raise InputError(
            f"{name}: column {title!r} holds {shown}: thousands, or a decimal mark? allowed: decimal=. or decimal=,"
        )
    return mark


def numbers_of(column: pa.ChunkedArray, decimal: str) -> pa.ChunkedArray | None:
    """The numbers of a column of texts, integers where all are; None where a cell is no number."""
    other = "." if decimal == "," else ","
    if _holds(column, MINUS):
        column = pc.replace_substring(column, MINUS, "-")
    if decimal == "." or not _holds(column, "."):
        numbers = _cast(column if decimal == "." else pc.replace_substring(column, ",", "."))
        if numbers is not None:
            return numbers
    pattern = _patterns(decimal, other)[2]
    if not _all(column, pattern) or not _all(column, r"\d"):
        return None
    plain = pc.replace_substring_regex(column, rf"^\+|[{_SPACES}{other}]", "")
    return _cast(pc.replace_substring(plain, decimal, "."))


def _cast(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    for kind in (pa.int64(), pa.float64()):
        try:
            column.slice(0, _HEAD).cast(kind)  # a long column of texts takes minutes to fail
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None


def text_cells(column: pa.ChunkedArray, missing: frozenset[str]) -> pa.ChunkedArray:
    """The cells without spaces around them, None where one is missing."""
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(trimmed, pa.array(sorted(missing), pa.string())), None, trimmed)
