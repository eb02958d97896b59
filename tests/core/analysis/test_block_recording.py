from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from seqdis.core.analysis.block_recording import BlockRecording
from seqdis.core.data.clip import Clip
from seqdis.core.data.recording import Recording
from seqdis.core.data.sliding_windows import SlidingWindows


@dataclass(frozen=True, kw_only=True)
class Counted(Recording):
    """Steps that hold their own number, and a note of what was read."""

    key: str = "x"
    count: int = 50
    labels: Mapping[str, str] | None = None
    read: list[tuple[int, int]] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return self.count

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return (1,)

    def take(self, steps: Tensor) -> Clip:
        self.read.append((int(steps[0]), int(steps[-1])))
        return Clip(steps[:, None].float(), self.key)


def test_windows_in_a_row_are_read_by_one_block() -> None:
    source = Counted()
    blocks = BlockRecording(key="x", source=source, span=26)
    windows, plain = SlidingWindows([blocks], 6, stride=4), SlidingWindows([Counted()], 6, stride=4)
    assert len(windows) == len(plain) == 12
    for start in (0, 6):
        read, expected = (w.fetch(range(start, start + 6)) for w in (windows, plain))
        assert torch.equal(read.x, expected.x)
        assert list(read.keys) == list(expected.keys)
    assert source.read == [(0, 25), (24, 49)]


def test_what_is_longer_than_a_block_or_lies_before_it_is_read_anew() -> None:
    source = Counted()
    blocks = BlockRecording(key="x", source=source, span=4)
    assert blocks.take(torch.arange(10, 20)).frames[:, 0].tolist() == [*range(10, 20)]
    assert blocks.take(torch.tensor([12, 19])).frames[:, 0].tolist() == [12, 19]
    assert blocks.take(torch.tensor([3])).frames[:, 0].tolist() == [3]
    assert source.read == [(10, 19), (3, 6)]
    assert (blocks.steps, blocks.frame_shape, blocks.identity()) == (50, (1,), source.identity())
