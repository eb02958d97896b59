"""Memory that the C library keeps for a training on a CPU, which it would otherwise give back and ask for anew."""

from __future__ import annotations

import ctypes

__all__ = ["keep_freed_memory"]

_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_LARGEST = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let glibc keep what this process frees, for its next tensors; nothing changes elsewhere, or on a GPU.

    glibc maps large arrays one by one and unmaps them when they are freed, and gives back the end of its heap. A step
    of training frees all that it has allocated, and the next one faults every page of it in again, 4 KiB at a time:
    ``benchmarks/host_memory.py`` compares the two. The process then stays as large as its largest step.

    Returns:
        Whether the C library has these settings and took them.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _LARGEST))
