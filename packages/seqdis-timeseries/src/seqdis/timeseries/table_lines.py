"""The lines of a text that hold its table, without those that are left out, comments and empty ones."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seqdis.core.errors import InputError

__all__ = ["TableLines", "table_lines"]

_EXCEL = re.compile(r"sep=(.)", re.IGNORECASE)
_BESIDE_TABLE = re.compile(r"\n[^\S\n]*[#\n]")


@dataclass(frozen=True)
class TableLines:
    """The lines of a table as one text: a list of them would take many times its memory.

    Attributes:
        content: The lines, separated by line breaks.
        comment: The last comment above the first line; None where there is none.
        separator: The separator that a line ``sep=…`` above names; None where there is none.
        empty: Number of the first empty line among the lines; None where there is none.
        source: The whole text.
        skipped: First and last number of the lines that were left out.
    """

    content: str
    comment: str | None
    separator: str | None
    empty: int | None
    source: str
    skipped: Sequence[tuple[int, int]]

    def __iter__(self) -> Iterator[str]:
        return _split(self.content) if self.content else iter(())

    def head(self, count: int) -> list[str]:
        """The first lines, at most ``count``."""
        return list(itertools.islice(self, count))

    def numbers(self) -> Iterator[int]:
        """The number of each line within the whole text, from 1."""
        return (number for number, kind, _ in _kinds(self.source, self.skipped) if kind == "row")


def table_lines(text: str, skip_lines: Sequence[str], name: str) -> TableLines:
    """Take a text apart.

    Args:
        text: The text, whose lines end in ``\\n``.
        skip_lines: Lines to leave out, by number from 1: ``2``, or ``1-3``.
        name: The file's name, for messages.

    Raises:
        InputError: ``skip_lines`` is not of that form.
    """
    skipped = _ranges(skip_lines, name)
    stripped = text.rstrip("\n")
    if not skipped and not _EXCEL.match(stripped) and not _BESIDE_TABLE.search(f"\n{stripped}"):
        return TableLines(stripped if stripped.strip() else "", None, None, None, text, ())
    rows = io.StringIO()
    comment = separator = empty = last = None
    for number, kind, line in _kinds(text, skipped):
        if kind == "empty":
            last = number if rows.tell() and last is None else last
        elif kind == "separator":
            separator = line.strip()[-1]
        elif kind == "comment":
            comment = comment if rows.tell() else line.lstrip()
        else:
            empty = last if empty is None else empty
            rows.write(line if not rows.tell() else f"\n{line}")
    return TableLines(rows.getvalue(), comment, separator, empty, text, skipped)


def _kinds(text: str, skipped: Sequence[tuple[int, int]]) -> Iterator[tuple[int, str, str]]:
    """Each line that is not left out: its number, what it is, and the line."""
    begun = named = False
    for number, line in enumerate(_split(text), start=1):
        if any(first <= number <= last for first, last in skipped):
            continue
        if not line.strip():
            yield number, "empty", line
        elif not begun and not named and _EXCEL.fullmatch(line.strip()):
            named = True
            yield number, "separator", line
        elif line.lstrip().startswith("#"):
            yield number, "comment", line
        else:
            begun = True
            yield number, "row", line


def _split(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _ranges(parts: Sequence[str], name: str) -> tuple[tuple[int, int], ...]:
    ranges = []
    for part in parts:
        first, _, last = part.partition("-")
        if not (first.isascii() and first.isdigit() and (last or first).isdigit() and len(part) < 40):
            raise InputError(
                f"{name}: skip_lines={part:.40}; allowed: numbers of lines from 1, such as 2 or 1-3,5"
            )
        ranges.append((int(first), int(last or first)))
    return tuple(ranges)
