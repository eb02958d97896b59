"""The separator of a text table's fields, and lines whose number of fields differs."""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from seqdis.core.errors import InputError

__all__ = ["NAMES", "check_field_counts", "find_separator", "split_lines"]

NAMES = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";"}
"""Separators by the word that names them on a command line."""
CANDIDATES = (";", "\t", "|", ",", " ")
"""Separators in the order in which they are tried: what hardly ever stands within a field comes first."""
_ENOUGH = 10_000
"""Lines behind one that differs whose number of fields says which is usual."""
_TWO_NUMBERS = re.compile(r'[+-]?[\d.,]+"?\s+"?[+-]?[\d.,]+')
_WHOLE = re.compile(r"[+-]?\d+")


def split_lines(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The fields of each line; runs of spaces and tabs separate once where the separator is a space."""
    if separator == " ":
        plain = (line.strip().replace("\t", " ") for line in lines)
        return csv.reader(plain, delimiter=" ", skipinitialspace=True)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def find_separator(lines: Sequence[str], name: str, *, decimal: str | None = None) -> str:
    """The one separator that gives every line the same number of fields, two or more; a comma where all have one.

    Args:
        lines: The first lines of the table, without comments and empty ones.
        name: The file's name, for the message and for its suffix.
        decimal: The decimal mark where it is known, which separates nothing.

    Raises:
        InputError: No separator gives all lines the same number of fields, or a comma may be a decimal mark.
    """
    counts = {}
    for separator in CANDIDATES:
        if separator != decimal:
            # A field longer than any text (csv.Error) says that this is not what separates them.
            with contextlib.suppress(csv.Error):
                counts[separator] = [len(fields) for fields in split_lines(lines, separator)]
    if not counts:
        raise InputError(f"{name}: a field has more than {csv.field_size_limit()} characters; allowed: fewer")
    fitting = [one for one, numbers in counts.items() if min(numbers) == max(numbers) > 1]
    if fitting[:1] == [","]:
        fields = [field for row in split_lines(lines, ",") for field in row]
        if " " in fitting and any(_TWO_NUMBERS.fullmatch(field.strip()) for field in fields):
            fitting = [" "]
        elif ".txt" in name.lower() and counts[","][0] == 2 and all(map(_WHOLE.fullmatch, fields)):
            raise InputError(
                f"{name}: line 1 is {lines[0]!r}; allowed: sep=comma (two columns), or decimal=, (one number)"
            )
    if fitting:
        return fitting[0]
    if all(max(numbers) == 1 for numbers in counts.values()):
        return "," if decimal != "," else ";"
    likely = max(counts, key=lambda one: _agreeing(counts[one]))
    check_field_counts(lines, likely, name)
    raise InputError(f"{name}: no separator splits all lines; allowed: sep=tab, sep=space, sep=comma, sep=…")


def _agreeing(numbers: Sequence[int]) -> int:
    """The number of lines that have the most common number of fields, of two or more."""
    return max((times for number, times in Counter(numbers).items() if number > 1), default=0)


def check_field_counts(
    lines: Iterable[str], separator: str, name: str, *, numbers: Iterable[int] | None = None
) -> None:
    """Refuse a line that has another number of fields than the first.

    Args:
        lines: The lines of the table.
        separator: The separator of the fields.
        name: The file's name, for the message.
        numbers: The number of each line within its file; counted from 1 when omitted.

    Raises:
        InputError: A line has more or fewer fields.
    """
    counted = itertools.count(1) if numbers is None else iter(numbers)
    start, first, line, other = 0, list[str](), 0, list[str]()
    widths = Counter[int]()
    # One line after another: the fields of all of them would take many times the file.
    for number, fields in zip(counted, split_lines(lines, separator), strict=False):
        if not fields:
            continue
        widths[len(fields)] += 1
        if not first:
            start, first = number, fields
        elif not line and len(fields) != len(first):
            line, other = number, fields
        if line and number > line + _ENOUGH:
            break
    if not line:
        return
    usual = widths.most_common(1)[0][0]
    if len(other) == len(first) + 1 and not other[-1].strip():
        raise InputError(
            f"{name}: line {start} has {len(first)} fields and line {line} one more, which is empty; allowed: the same number "
            f"in each line: {separator!r} at the end of all lines, or of none"
        )
    left_out = line if len(first) == usual else f"1-{line - 1}".removesuffix("-1")
    word = next((word for word, mark in NAMES.items() if mark == separator), repr(separator))
    raise InputError(
        f"{name}: line {start} has {len(first)} field{'s' * (len(first) > 1)} and line {line} has {len(other)}, separated by {word}; "
        "allowed: the same number in each line, another separator (sep=…), decimal=, where a comma is no separator, "
        f"or lines left out (skip_lines={left_out})"
    )
