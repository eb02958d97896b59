"""SequenceDataset: sequences addressed by an integer, in memory or cut from recordings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.data.labels import Label
from seqdis.core.data.recordings import Recordings
from seqdis.core.sequences import Sequences

__all__ = ["SequenceDataset"]


class SequenceDataset(ABC):
    """Sequences addressed by an integer, all of one length and frame shape.

    Attributes:
        labels: The meaning of each label; its names are the keys of ``Sequences.labels``.
        step_labels: The meaning of each label of single steps; its names are the keys of ``Sequences.step_labels``.
    """

    labels: Mapping[str, Label] = {}
    step_labels: Mapping[str, Label] = {}

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one sequence, ``(V, *frame)``."""

    @property
    def coded(self) -> bool:
        """Whether its frames are the latents of a frame codec, as in :attr:`Sequences.coded`."""
        return False

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        """Read some sequences.

        Args:
            indices: Numbers of the sequences to read, each in ``[0, len)``.
            epoch: Number that chooses the random views (crops, picked frames) of a dataset that has them:
                the same index and epoch always give the same sequence.
        """

    @property
    def in_memory(self) -> bool:
        """Whether a sequence is read without opening a file."""
        return True

    def recordings(self) -> Recordings | None:
        """The recordings that its sequences were cut from; None for a dataset that does not know them."""
        return None

    def all_labels(self) -> dict[str, Tensor]:
        """The labels of the whole dataset, each ``(N,)``."""
        parts = [self.fetch(range(i, min(i + 256, len(self)))).labels for i in range(0, len(self), 256)]
        return {name: torch.cat([part[name] for part in parts]) for name in self.labels}
