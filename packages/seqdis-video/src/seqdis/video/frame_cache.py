"""Decoded frames of a model's size that were used last, kept within a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from torch import Tensor
from torch.utils.data import get_worker_info

__all__ = ["FRAMES", "FrameCache"]

_BYTES = 256 * 2**20
_OVERHEAD = 1024
"""Bytes of a frame's tensor and of its place in the cache, besides its pixels."""


class FrameCache:
    """A cache of frames that drops the least recently used ones above its size.

    Each process has its own; those that read ahead share the size among them.

    Args:
        size: Bytes, over the processes that read ahead.
    """

    def __init__(self, size: int = _BYTES) -> None:
        self._size, self._used = size, 0
        self._frames: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._announced: dict[Hashable, int] = {}
        self._visited: set[Hashable] = set()
        self._total = 0

    def announce(self, name: Hashable, count: int, nbytes: int) -> None:
        """Say that frames of a recording may be asked for: what fits as a whole is kept as it comes.

        Args:
            name: The name of the recording; one that was announced before is not counted again.
            count: Number of its frames.
            nbytes: Bytes of one of them.
        """
        if self._total <= self._size and name not in self._announced:
            self._announced[name] = count * (nbytes + _OVERHEAD)
            self._total += self._announced[name]

    def visited(self, name: Hashable) -> bool:
        """Whether a recording was asked about here before; from now on it was."""
        before = name in self._visited
        self._visited.add(name)
        return before

    @property
    def holds_all(self) -> bool:
        """Whether there is room for all that was announced, so that a frame is worth keeping before it is needed."""
        return self._total <= self._share

    @property
    def _share(self) -> int:
        worker = get_worker_info()
        return self._size // worker.num_workers if worker is not None else self._size

    def get(self, key: Hashable) -> Tensor | None:
        """The frame of this name, if it is there."""
        frame = self._frames.get(key)
        if frame is not None:
            self._frames.move_to_end(key)
        return frame

    def put(self, key: Hashable, frame: Tensor) -> None:
        """Keep a frame, and drop those that were not used for the longest time if there is no room."""
        old = self._frames.pop(key, None)
        if old is not None:
            self._used -= old.nbytes + _OVERHEAD
        self._frames[key] = frame
        self._used += frame.nbytes + _OVERHEAD
        size = self._share
        while self._used > size and self._frames:
            _, dropped = self._frames.popitem(last=False)
            self._used -= dropped.nbytes + _OVERHEAD

    def clear(self) -> None:
        """Drop all frames, and forget what was announced."""
        self._frames.clear()
        self._announced.clear()
        self._visited.clear()
        self._used = self._total = 0


FRAMES = FrameCache()
"""The cache of this process."""
