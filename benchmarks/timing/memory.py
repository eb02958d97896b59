"""The memory of a process and of those that it started."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import psutil

__all__ = ["PeakMemory", "watch_memory"]


class PeakMemory:
    """The largest memory seen while it was watched.

    Attributes:
        bytes: Proportional set size (memory that several processes share is divided among them), summed over the
            process and its descendants.
    """

    def __init__(self) -> None:
        self.bytes = 0

    def look(self) -> None:
        """Measure once."""
        total, own = 0, psutil.Process()
        for process in [own, *own.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        self.bytes = max(self.bytes, total)


@contextlib.contextmanager
def watch_memory(every: float = 1.0) -> Iterator[PeakMemory]:
    """Measure this process and its descendants, over and over.

    Args:
        every: Seconds between two looks.
    """
    peak, stop = PeakMemory(), threading.Event()

    def watch() -> None:
        while not stop.wait(every):
            peak.look()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    started = time.perf_counter()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()
        if time.perf_counter() - started > every:
            peak.look()
