"""Progress: how long work reports how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "part_of"]

Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)`` while something long runs."""


def part_of(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """The progress of one of several equally long parts of some work.

    Args:
        progress: That of the whole work, if anyone wants to know.
        part: Number of the part, from 0.
        parts: How many there are.
    """
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, parts * total)
