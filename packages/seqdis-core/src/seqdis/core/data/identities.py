"""Frames of one identity from all of its sequences, beside each sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from seqdis.core.data.recordings import Recordings
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.steps import zero_unobserved
from seqdis.core.errors import unknown_name
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences

__all__ = ["IDENTITY", "IDENTITY_OBSERVED", "WithIdentities", "identity_frames"]

IDENTITY = "identity"
"""Name of the target that holds the frames of the identity."""

IDENTITY_OBSERVED = "identity_observed"
"""Name of the target that is 1 where an entry of these frames was measured; absent where all of them were."""


def identity_frames(batch: Sequences) -> Sequences | None:
    """The frames of each sequence's identity with their gaps, as sequences; None where the batch has none.

    Args:
        batch: Sequences that :class:`WithIdentities` gave.
    """
    if IDENTITY not in batch.targets:
        return None
    observed = batch.targets.get(IDENTITY_OBSERVED)
    frames = Sequences(
        batch.targets[IDENTITY],
        observed=None if observed is None else observed.bool(),
        coded=batch.coded,
    )
    return replace(frames, x=zero_unobserved(frames.x, frames))


class WithIdentities(SequenceDataset):
    """Another dataset whose batches carry frames of each sequence's identity, as the target ``"identity"``.

    They are drawn anew each epoch from a few sequences of the identity, equally many from each, whatever the length of
    a sequence. A property of one sequence alone, such as the side that it is seen from, is not shared by them (VDSM,
    Sec. 3.2: images "may or may not be from the same sequence"; its authors' code takes 16 from two).

    Args:
        dataset: The dataset to extend; its sequences must have labels.
        by: Names of the labels that together name an identity.
        frames: Number of frames, G.
        sequences: Number of different sequences that they are taken from; all that the identity has where it has fewer.

    Raises:
        InputError: The dataset has no such label.
    """

    def __init__(
        self, dataset: SequenceDataset, by: Sequence[str], *, frames: int = 16, sequences: int = 2
    ) -> None:
        self._frame_count, self._sequence_count = frames, sequences
        self.labels, self.step_labels, self._dataset = dataset.labels, dataset.step_labels, dataset
        for name in by:
            if name not in dataset.labels:
                raise unknown_name("label in data.identities", name, dataset.labels)
        labels = dataset.all_labels()
        named = torch.stack([labels[name] for name in by], dim=1)
        _, self._identity = named.unique(dim=0, return_inverse=True)
        self._order = self._identity.argsort(stable=True)
        self._counts = self._identity.bincount()
        self._starts = self._counts.cumsum(0) - self._counts

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sequence, ``(V, *frame)``."""
        return self._dataset.shape

    @property
    def in_memory(self) -> bool:
        """Whether a sequence of the dataset is read without opening a file."""
        return self._dataset.in_memory

    @property
    def coded(self) -> bool:
        return self._dataset.coded

    def __len__(self) -> int:
        return len(self._dataset)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        """The dataset's sequences, and ``(B, G, *frame)`` frames of their identities."""
        lent = [self._frames(int(index), epoch) for index in indices]
        targets = {IDENTITY: torch.stack([frames for frames, _ in lent])}
        if any(observed is not None for _, observed in lent):
            parts = [torch.ones_like(x) if observed is None else observed.to(x) for x, observed in lent]
            targets[IDENTITY_OBSERVED] = torch.stack(parts)
        batch = self._dataset.fetch(indices, epoch=epoch)
        return replace(batch, targets={**batch.targets, **targets})

    def _frames(self, index: int, epoch: int) -> tuple[Tensor, Tensor | None]:
        """Frames of a sequence's identity, ``(G, *frame)``, and which of their entries were measured."""
        draw = torch.Generator().manual_seed(mix_seed(epoch, index))
        who = self._identity[index]
        count = int(self._counts[who])
        chosen = torch.randperm(count, generator=draw)[: self._sequence_count]
        lent = self._dataset.fetch(self._order[self._starts[who] + chosen].tolist(), epoch=epoch)
        of = torch.arange(self._frame_count) % len(chosen)
        exist = torch.full((len(chosen),), self.shape[0]) if lent.mask is None else lent.mask.sum(1)
        taken = of, (torch.rand(self._frame_count, generator=draw) * exist[of]).long()
        return lent.x[taken], None if lent.observed is None else lent.observed[taken]

    def all_labels(self) -> dict[str, Tensor]:
        """The labels of the whole dataset, each ``(N,)``."""
        return self._dataset.all_labels()

    def recordings(self) -> Recordings | None:
        """The recordings of the dataset."""
        return self._dataset.recordings()
