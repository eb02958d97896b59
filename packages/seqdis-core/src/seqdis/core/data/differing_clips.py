"""Sequences of a dataset that differ in both factors, to be looked at side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset

__all__ = ["Differences", "differing_clips"]

CANDIDATES = 64
"""Number of sequences among which those that differ most are looked for, times the number that is wanted."""


@dataclass(frozen=True)
class Differences:
    """The labels, recordings and folders that tell some sequences of a dataset apart, known without reading them.

    Attributes:
        static: The labels of identity, each of the whole dataset, ``(N,)``.
        dynamic: The labels of what happens, each of the whole dataset, ``(N,)``.
        recordings: The number of a sequence's recording, by the sequence's number.
        folders: The folder of its file, by the sequence's number; empty where files are not known.
    """

    static: tuple[Tensor, ...]
    dynamic: tuple[Tensor, ...]
    recordings: dict[int, int]
    folders: dict[int, str]

    @classmethod
    def of(cls, dataset: SequenceDataset, indices: Sequence[int]) -> Self:
        """The differences of some sequences of a dataset."""
        labels, known = dataset.all_labels(), dataset.recordings()
        static, dynamic = (
            tuple(value for name, value in labels.items() if dataset.labels[name].factor == side)
            for side in ("static", "dynamic")
        )
        recordings, keys = {i: i for i in indices}, None if known is None else known.keys
        if known is not None:
            recordings = {i: v.recording for i, v in zip(indices, known.views(indices, 0), strict=True)}
        folders = {i: str(Path(keys[number]).parent) for i, number in recordings.items()} if keys else {}
        return cls(static, dynamic, recordings, folders)

    def between(self, first: int, second: int) -> float:
        """A number that is higher the more two sequences differ, above all in both factors."""
        score = 4.0 * _differ(self.static, first, second) + 4.0 * _differ(self.dynamic, first, second)
        score += 2.0 * bool(self.folders and self.folders[first] != self.folders[second])
        return score + (self.recordings[first] != self.recordings[second])


def _differ(labels: Sequence[Tensor], first: int, second: int) -> float:
    """1 where a label differs, and up to half as much more the more of them do."""
    count = sum(bool(value[first] != value[second]) for value in labels)
    return 1.0 + 0.5 * count / len(labels) if count else 0.0


def differing_clips(dataset: SequenceDataset, count: int, *, seed: int = 0) -> list[int]:
    """Sequences of which each two differ in both factors as far as labels, folders and recordings tell.

    Each next one is that whose least difference to the chosen ones is largest; among equals the seed decides.

    Args:
        dataset: Dataset of the sequences, whose labels are compared.
        count: Largest number of sequences.
        seed: Seed of the random order in which sequences are considered.
    """
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed)).tolist()
    left = order[: CANDIDATES * count]
    apart = Differences.of(dataset, left)
    chosen = [left.pop(0)]
    while left and len(chosen) < count:

        def closeness(candidate: int) -> tuple[float, float]:
            distances = [apart.between(candidate, other) for other in chosen]
            return min(distances), sum(distances)

        chosen.append(left.pop(max(range(len(left)), key=lambda i: closeness(left[i]))))
    return chosen
