"""Random windows: a new view of each recording in every epoch."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from seqdis.core.data.labels import Label
from seqdis.core.data.recording import Recording
from seqdis.core.data.recordings import Recordings, View
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.views import ViewReader
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences

__all__ = ["RandomWindows"]


class RandomWindows(SequenceDataset):
    """A dataset that gives new random views of ``length`` steps of each recording in every epoch.

    A recording that is shorter than a view is padded with 0 at its end and masked.

    Args:
        recordings: The recordings to cut views from.
        length: Number of steps of a view, V.
        pick: ``"window"`` cuts consecutive steps; ``"spread"`` draws any steps and keeps their
            order (DiffSDA, App. D: "we randomly select 15 frames from the original sequences").
        seed: Seed that, with the epoch and the index, fixes the view.
        repeats: Number of views of each recording in an epoch (DiffSDA, Tab. 6); when omitted, as many as
            windows of V steps fit into it side by side, at least one.
        labels: The meaning of the recordings' labels.
        step_labels: The meaning of the labels of single steps.

    Raises:
        InputError: There is no recording, or their frames differ in shape.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        length: int,
        *,
        pick: Literal["window", "spread"] = "window",
        seed: int = 0,
        repeats: int | None = None,
        labels: Mapping[str, Label] | None = None,
        step_labels: Mapping[str, Label] | None = None,
    ) -> None:
        self.labels, self.step_labels = dict(labels or {}), dict(step_labels or {})
        self._reader = ViewReader(list(recordings), length, self.labels, self.step_labels)
        self._recordings, self._pick, self._seed, self._repeats = list(recordings), pick, seed, repeats
        views = [repeats or max(1, recording.steps // length) for recording in recordings]
        self._ends = list(itertools.accumulate(views))

    @property
    def shape(self) -> tuple[int, ...]:
        return self._reader.shape

    @property
    def in_memory(self) -> bool:
        return self._reader.in_memory

    @property
    def coded(self) -> bool:
        return self._reader.coded

    def __len__(self) -> int:
        return self._ends[-1]

    def _recording_of(self, index: int) -> int:
        # In a fixed number of visits, visit k of all recordings stands before visit k + 1.
        return (
            bisect.bisect_right(self._ends, index) if self._repeats is None else index % len(self._recordings)
        )

    def _view(self, index: int, epoch: int) -> View:
        recording = self._recording_of(index)
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, index))
        total, length = self._recordings[recording].steps, self._reader.length
        if total <= length:
            return View(recording, torch.arange(total))
        if self._pick == "spread":
            return View(recording, torch.randperm(total, generator=generator)[:length].sort().values)
        start = int(torch.randint(total - length + 1, (), generator=generator))
        return View(recording, torch.arange(start, start + length))

    def recordings(self) -> Recordings:
        """The recordings that the views are cut from."""
        return self._reader.described(lambda indices, epoch: [self._view(index, epoch) for index in indices])

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        views = [self._view(index, epoch) for index in indices]
        return self._reader.read(views, [self._recordings[view.recording].key for view in views])

    def all_labels(self) -> dict[str, Tensor]:
        return self._reader.label_values(
            [View(self._recording_of(i), torch.empty(0)) for i in range(len(self))]
        )
