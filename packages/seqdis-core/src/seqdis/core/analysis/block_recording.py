"""A recording that is read in blocks, for windows that are taken one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.recording import Recording

__all__ = ["BlockRecording"]


@dataclass(frozen=True)
class _Block:
    first: int
    clip: Clip


@dataclass(frozen=True, kw_only=True)
class BlockRecording(Recording):
    """Another recording, of which a block of steps is read at a time and kept until the next is needed.

    A video is decoded from the key frame before a window; many short windows in a row would each begin there anew.

    Attributes:
        key: Name of the recording.
        source: The other recording.
        span: Number of steps of a block.
        labels: The class of each label, by the label's name.
    """

    key: str
    source: Recording
    span: int
    labels: Mapping[str, str] | None = None
    _held: list[_Block] = field(default_factory=list, repr=False, compare=False)

    @property
    def steps(self) -> int:
        return self.source.steps

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.source.frame_shape

    @property
    def has_gaps(self) -> bool:
        return self.source.has_gaps

    @property
    def step_labels(self) -> Sequence[str]:
        return self.source.step_labels

    @property
    def dated(self) -> bool:
        return self.source.dated

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

    def identity(self) -> list[str | Tensor]:
        return self.source.identity()
