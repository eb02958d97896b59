from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.recordings import Recordings
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.sequences import Sequences
from seqdis.eval.judge.dataset_identity import dataset_identity

LABELS = {"way": Label(("in", "out"), "dynamic")}
COUNT = 40


def identity(dataset: SequenceDataset) -> bytes:
    return b"|".join(dataset_identity(dataset))


def parts() -> dict[str, Any]:
    g = torch.Generator().manual_seed(0)
    return {
        "x": torch.randn(COUNT, 5, 3, generator=g),
        "label_values": {"way": torch.arange(COUNT) % 2},
        "mask": torch.ones(COUNT, 5, dtype=torch.bool),
        "observed": torch.ones(COUNT, 5, 3, dtype=torch.bool),
    }


class Unknown(ArraySequences):
    """A dataset that does not know its recordings."""

    def recordings(self) -> Recordings | None:
        return None


def at(name: str, row: int) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        value = values["label_values"]["way"] if name == "way" else values[name]
        value[row] = (
            ~value[row] if value.dtype == torch.bool else value[row] + 1 - 2 * (name == "way" and row % 2)
        )

    return change


@pytest.mark.parametrize("kind", [ArraySequences, Unknown])
@pytest.mark.parametrize("name", ["x", "way", "mask", "observed"])
@pytest.mark.parametrize("row", [0, 9, COUNT - 1])
def test_every_clip_label_and_gap_counts(kind: type[ArraySequences], name: str, row: int) -> None:
    same, changed = parts(), parts()
    assert identity(kind(**same, labels=LABELS)) == identity(kind(**parts(), labels=LABELS))
    at(name, row)(changed)
    assert identity(kind(**same, labels=LABELS)) != identity(kind(**changed, labels=LABELS))


def test_windows_differ_by_their_places_and_their_recordings() -> None:
    clips = [Clip(torch.randn(20, 3), f"{i}") for i in range(3)]
    other = [*clips[:2], Clip(clips[2].frames + (torch.arange(20) == 19)[:, None], "2")]
    seen = [
        identity(dataset)
        for dataset in (
            SlidingWindows(clips, 5),
            SlidingWindows(clips, 5, stride=3),
            SlidingWindows(other, 5),
            RandomWindows(clips, 5, seed=0),
            RandomWindows(clips, 5, seed=1),
        )
    ]
    assert len(set(seen)) == len(seen)


def test_clips_in_files_are_not_all_read() -> None:
    class Counted(SlidingWindows):
        read = 0

        def fetch(self, indices: Any, *, epoch: int = 0) -> Sequences:
            self.read += len(indices)
            return super().fetch(indices, epoch=epoch)

    dataset = Counted([Clip(torch.randn(500, 3), "a")], 5)
    identity(dataset)
    assert dataset.read <= 8
