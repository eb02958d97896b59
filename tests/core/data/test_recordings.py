"""Views of recordings: what a dataset says of where its sequences lie must give these very sequences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.recordings import digest
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.data.subset import Subset


def _clips() -> list[Clip]:
    g = torch.Generator().manual_seed(0)
    return [Clip(torch.randn(length, 3, generator=g), f"clip {length}") for length in (12, 7, 9)]


DATASETS: dict[str, Callable[[], SequenceDataset]] = {
    "array": lambda: ArraySequences(torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(1))),
    "sliding": lambda: SlidingWindows(_clips(), 4),
    "windows": lambda: RandomWindows(_clips(), 4, repeats=3, seed=2),
    "spread": lambda: RandomWindows(_clips(), 4, pick="spread", seed=2),
    "subset": lambda: Subset(RandomWindows(_clips(), 4, repeats=3, seed=2), [5, 0, 2]),
}


@pytest.mark.parametrize("kind", DATASETS)
@pytest.mark.parametrize("epoch", [0, 3])
def test_views_cut_the_sequences_out_of_the_recordings(kind: str, epoch: int) -> None:
    dataset = DATASETS[kind]()
    source = dataset.recordings()
    assert source is not None
    indices = range(len(dataset))
    recordings = [source.read(i).frames for i in range(source.count)]
    cut = [recordings[view.recording][view.steps] for view in source.views(indices, epoch)]
    torch.testing.assert_close(torch.stack(cut), dataset.fetch(indices, epoch=epoch).x, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["array", "windows"])
def test_the_fingerprint_is_that_of_the_content(kind: str) -> None:
    def make(change: float, key: str) -> str:
        clips = [Clip(clip.frames[:7].clone(), clip.key) for clip in _clips()]
        clips[1].frames[3, 1] += change
        names = [clips[0].key, key, clips[2].key]
        x = torch.stack([clip.frames for clip in clips])
        dataset: SequenceDataset = (
            ArraySequences(x, keys=names)
            if kind == "array"
            else RandomWindows([Clip(f, k) for f, k in zip(x, names, strict=True)], 4)
        )
        source = dataset.recordings()
        assert source is not None
        return source.fingerprint()

    assert make(0.0, "a") == make(0.0, "a")
    assert len({make(0.0, "a"), make(1e-5, "a"), make(0.0, "b")}) == 3


def test_a_digest_tells_types_shapes_and_boundaries_apart() -> None:
    zeros = torch.zeros(4)
    parts: list[list[str | torch.Tensor]] = [
        [zeros], [zeros.int()], [zeros.view(2, 2)], ["ab", "c"], ["a", "bc"], [zeros[:3]], [zeros[::2]],
    ]  # fmt: skip
    assert len({digest(part) for part in parts}) == len(parts)
