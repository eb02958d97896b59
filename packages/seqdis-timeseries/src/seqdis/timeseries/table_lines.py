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
_LEFT_OUT = "\0"
"""Stands for a line that is left out: no text holds it."""
_BESIDE = f"#{_LEFT_OUT}"
_BLOCK = 1 << 18
"""Characters that are taken apart at a time."""
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
        seen, named = 0, self.separator is not None
        for lines in _blocks(self.source):
            for number, line in enumerate(_without(lines, self.skipped, seen), start=seen + 1):
                text = line.lstrip()
                if not text or text[0] in _BESIDE:
                    continue
                if named:  # the first is the line sep=…
                    named = False
                    continue
                yield number
            seen += len(lines)


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
    parts = _Parts(skipped)
    for lines in _blocks(text):
        parts.add(lines)
    return TableLines(parts.rows.getvalue(), parts.comment, parts.separator, parts.empty, text, skipped)


class _Parts:
    """The rows among the lines that were seen so far, and what stood beside them."""

    def __init__(self, skipped: Sequence[tuple[int, int]]) -> None:
        self.rows = io.StringIO()
        self.comment: str | None = None
        self.separator: str | None = None
        self.empty: int | None = None
        self._skipped, self._seen, self._last_empty = skipped, 0, 0

    def add(self, lines: list[str]) -> None:
        """Take the next lines in."""
        lines = _without(lines, self._skipped, self._seen)
        kept = _rows(lines)
        if not self.rows.tell():
            kept = self._begin(lines, kept)
        if self.rows.tell() and self.empty is None and (self._last_empty or len(kept) < len(lines)):
            self._find_empty(lines)
        if kept:
            self.rows.write(("\n" if self.rows.tell() else "") + "\n".join(kept))
        self._seen += len(lines)

    def _begin(self, lines: list[str], kept: list[str]) -> list[str]:
        """The rows among lines of which none came before, without a line ``sep=…``."""
        if kept and self.separator is None and (mark := _EXCEL.fullmatch(kept[0].strip())):
            self.separator = mark[1]
            kept = kept[1:]
        above = next((i for i, line in enumerate(lines) if kept and line is kept[0]), len(lines))
        comments = (line.lstrip() for line in reversed(lines[:above]) if line.lstrip().startswith("#"))
        self.comment = next(comments, self.comment)
        if kept:
            self._find_empty(lines, start=above)
        return kept

    def _find_empty(self, lines: list[str], *, start: int = 0) -> None:
        for i in range(start, len(lines)):
            text = lines[i].lstrip()
            if not text:
                self._last_empty = self._last_empty or self._seen + i + 1
            elif self._last_empty and text[0] not in _BESIDE:
                self.empty = self._last_empty
                return


def _rows(lines: list[str]) -> list[str]:
    return [line for line in lines if (text := line.lstrip()) and text[0] not in _BESIDE]


def _without(lines: list[str], skipped: Sequence[tuple[int, int]], seen: int) -> list[str]:
    """The lines with a mark in place of those that are left out."""
    for first, last in skipped:
        if first <= seen + len(lines) and last > seen:
            lines = [
                _LEFT_OUT if first <= number <= last else line
                for number, line in enumerate(lines, start=seen + 1)
            ]
    return lines


def _blocks(text: str) -> Iterator[list[str]]:
    """All lines, many at a time."""
    start = 0
    while (end := text.find("\n", start + _BLOCK)) >= 0:
        yield text[start:end].split("\n")
        start = end + 1
    yield text[start:].split("\n")


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
