"""A recording that is read in blocks, for windows that are taken one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.derived_recording import DerivedRecording

__all__ = ["BlockRecording"]


@dataclass(frozen=True)
class _Block:
    first: int
    clip: Clip


@dataclass(frozen=True, kw_only=True)
class BlockRecording(DerivedRecording):
    """Another recording, of which a block of steps is read at a time and kept until the next is needed.

    A video is decoded from the key frame before a window; many short windows in a row would each begin there anew.

    Attributes:
        span: Number of steps of a block.
    """

    span: int
    _held: list[_Block] = field(default_factory=list, repr=False, compare=False)

    def take(self, steps: Tensor) -> Clip:
        first, last = int(steps[0]), int(steps[-1])
        if not self._held or not self._holds(first, last):
            stop = max(min(first + self.span, self.steps), last + 1)
            self._held[:] = [_Block(first, self.source.take(torch.arange(first, stop)))]
        block = self._held[0]
        return block.clip.take(steps - block.first)

    def _holds(self, first: int, last: int) -> bool:
        block = self._held[0]
        return block.first <= first and last < block.first + block.clip.steps
