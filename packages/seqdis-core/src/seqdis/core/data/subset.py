"""Some sequences of another dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from seqdis.core.data.recordings import Recordings
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

__all__ = ["Subset"]


class Subset(SequenceDataset):
    """Some sequences of another dataset, in the given order."""

    def __init__(self, dataset: SequenceDataset, indices: Sequence[int]) -> None:
        if not len(indices):
            raise InputError("a subset needs at least one sequence; got none")
        self.labels, self.step_labels = dataset.labels, dataset.step_labels
        self._dataset, self._indices = dataset, list(indices)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._dataset.shape

    @property
    def in_memory(self) -> bool:
        """Whether a sequence of the dataset is read without opening a file."""
        return self._dataset.in_memory

    @property
    def coded(self) -> bool:
        return self._dataset.coded

    def __len__(self) -> int:
        return len(self._indices)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        return self._dataset.fetch([self._indices[i] for i in indices], epoch=epoch)

    def recordings(self) -> Recordings | None:
        """All recordings of the other dataset, with the positions of the chosen sequences in them."""
        whole = self._dataset.recordings()
        if whole is None:
            return None
        views = whole.views
        return replace(whole, views=lambda indices, epoch: views([self._indices[i] for i in indices], epoch))
