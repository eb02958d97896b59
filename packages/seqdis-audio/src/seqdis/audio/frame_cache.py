"""Frames of whole recordings, kept in the memory of one process up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from torch import Tensor

__all__ = ["FRAMES", "FrameCache"]


class FrameCache:
    """Keeps tensors by key, and lets the least recently used go when they take more than a number of bytes.

    The newest stays, however large it is: what is read from it next must not cost as much again.

    Args:
        most: Largest number of bytes.
    """

    def __init__(self, most: int) -> None:
        self._most, self._held = most, 0
        self._tensors: OrderedDict[Hashable, Tensor] = OrderedDict()
        # Not held while something is computed: a process that is forked then would wait for ever.
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tensors)

    @property
    def held(self) -> int:
        """The number of bytes that are kept."""
        return self._held

    def has_room(self, size: int) -> bool:
        """Whether ``size`` more bytes can be kept without letting anything go."""
        return self._held + size <= self._most

    def get(self, key: Hashable) -> Tensor | None:
        """The tensor that is kept under a key, which is then the most recently used; None if there is none."""
        with self._lock:
            if key in self._tensors:
                self._tensors.move_to_end(key)
            return self._tensors.get(key)

    def get_or_compute(self, key: Hashable, compute: Callable[[], Tensor]) -> Tensor:
        """The tensor that is kept under a key, computed and kept if there is none."""
        known = self.get(key)
        if known is not None:
            return known
        value = compute()
        with self._lock:
            if key not in self._tensors:
                self._tensors[key] = value
                self._held += value.nbytes
            while self._held > self._most and len(self._tensors) > 1:
                _, oldest = self._tensors.popitem(last=False)
                self._held -= oldest.nbytes
        return value

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            self._tensors.clear()
            self._held = 0


FRAMES = FrameCache(256 << 20)
"""The frames that this process keeps."""
