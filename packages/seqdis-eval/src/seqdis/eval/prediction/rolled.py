"""Sequences whose frames are shifted in time while all that goes with them stays: a fault of published code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences

__all__ = ["Rolled"]


class Rolled(SequenceDataset):
    """Another dataset, each sequence shifted cyclically: ``x'^τ = x^{(τ − k) mod V}``.

    The mask, the observed entries and the labels stay where they are.

    Args:
        dataset: A dataset of any kind.
        seed: Seed of the shifts; that of a sequence depends on its index alone.
    """

    def __init__(self, dataset: SequenceDataset, *, seed: int) -> None:
        self.labels, self._dataset, self._seed = dataset.labels, dataset, seed

    @property
    def shape(self) -> tuple[int, ...]:
        """``(V, *frame)``."""
        return self._dataset.shape

    def __len__(self) -> int:
        return len(self._dataset)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        """The dataset's sequences, shifted."""
        batch = self._dataset.fetch(indices, epoch=epoch)
        rolled = [x.roll(self.shift(int(i)), 0) for i, x in zip(indices, batch.x, strict=True)]
        return replace(batch, x=torch.stack(rolled))

    def shift(self, index: int) -> int:
        """k of one sequence, in ``[0, V)``."""
        generator = torch.Generator().manual_seed(mix_seed(self._seed, index))
        return int(torch.randint(self.shape[0], (), generator=generator))

    def all_labels(self) -> dict[str, Tensor]:
        """The labels of the whole dataset, each ``(N,)``."""
        return self._dataset.all_labels()
