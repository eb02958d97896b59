"""One progress bar for work in stages."""

from __future__ import annotations

from seqdis.core.progress import Progress

__all__ = ["stage"]


def stage(progress: Progress | None, first: float, last: float) -> Progress | None:
    """Report a stage as the part ``[first, last]`` of 1000 steps."""
    if progress is None:
        return None
    return lambda done, total: progress(round(1000 * (first + (last - first) * done / total)), 1000)
