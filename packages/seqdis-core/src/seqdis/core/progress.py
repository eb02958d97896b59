"""The function type by which long work reports its progress."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Progress", "part_of"]

Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)`` while something long runs."""


def part_of(progress: Progress | None, part: int, parts: int) -> Progress | None:
    """The progress of one of several equally long parts of some work.

    Args:
        progress: The progress function of the whole work, or None.
        part: The number of the part, from 0.
        parts: The number of parts in all.
    """
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, parts * total)
