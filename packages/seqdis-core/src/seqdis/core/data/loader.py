"""Training batches that depend on the number of the optimiser step alone, so that resuming is exact."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences
from seqdis.core.worker_processes import usable_cores

__all__ = ["MOST_READERS", "BatchPlan", "Read", "reading_processes", "training_batches"]

MOST_READERS = 4
"""Processes that read ahead where none are asked for."""


@dataclass(frozen=True)
class Read:
    """One micro-batch to read: its sequences' numbers, and the epochs that choose their random views."""

    epochs: tuple[int, ...]
    indices: tuple[int, ...]


@dataclass(frozen=True)
class BatchPlan:
    """A plan of which sequences make each optimiser step, and which of them this process reads.

    Step k is batch ``k mod E`` of epoch ``k div E``, ``E = max(1, N div B)``; each epoch has a
    permutation of its own and drops the rest ``N mod B``. Of a dataset smaller than a batch, each batch
    goes through ``R = ceil(B / N)`` epochs, k·R and those after it, so that every position draws a view of its
    own. The B sequences of a step are cut into ``accumulate`` micro-batches and each of those over the processes, in equal parts.

    Attributes:
        sequences: Number of sequences in the dataset, N.
        batch_size: Number of sequences a step, over all processes and micro-batches, B.
        seed: The seed that fixes every permutation.
        accumulate: Number of micro-batches a step.
        processes: Number of processes that share the work.
        rank: The number of this process, from 0.

    Raises:
        InputError: The batch does not split into equal parts.
    """

    sequences: int
    batch_size: int
    seed: int = 0
    accumulate: int = 1
    processes: int = 1
    rank: int = 0

    def __post_init__(self) -> None:
        if self.sequences < 1:
            raise InputError("training needs at least one sequence; got an empty dataset")
        if self.batch_size % (self.accumulate * self.processes):
            raise InputError(
                f"batch_size {self.batch_size} must be a multiple of accumulate × processes = "
                f"{self.accumulate} × {self.processes}"
            )

    @property
    def steps_per_epoch(self) -> int:
        """The number of optimiser steps an epoch, E."""
        return max(1, self.sequences // self.batch_size)

    def rows(self, micro: int) -> slice:
        """The rows of the step's batch that this process reads as its micro-batch ``micro``."""
        part = self.batch_size // (self.accumulate * self.processes)
        first = (micro * self.processes + self.rank) * part
        return slice(first, first + part)

    def epoch_order(self, epoch: int) -> list[int]:
        """The epoch's permutation of the sequences."""
        generator = torch.Generator().manual_seed(mix_seed(self.seed, epoch))
        order: list[int] = torch.randperm(self.sequences, generator=generator).tolist()
        return order

    def _positions(self, round_: int) -> list[tuple[int, int]]:
        """The epoch and the sequence at each position of an epoch's batches, or of one batch where N < B."""
        visits = max(1, -(-self.batch_size // self.sequences))
        epochs = range(round_ * visits, (round_ + 1) * visits)
        return [(epoch, index) for epoch in epochs for index in self.epoch_order(epoch)]

    def reads(self, start: int, stop: int) -> Iterator[Read]:
        """This process's micro-batches of the steps ``[start, stop)``, in order."""
        known, positions = -1, [(0, 0)]
        for step in range(start, stop):
            epoch, number = divmod(step, self.steps_per_epoch)
            if epoch != known:
                known, positions = epoch, self._positions(epoch)
            batch = positions[number * self.batch_size : (number + 1) * self.batch_size]
            for micro in range(self.accumulate):
                rows = batch[self.rows(micro)]
                yield Read(tuple(epoch for epoch, _ in rows), tuple(index for _, index in rows))


class _Reads(Sampler[Read]):
    def __init__(self, plan: BatchPlan, start: int, stop: int) -> None:
        self._plan, self._start, self._stop = plan, start, stop

    def __iter__(self) -> Iterator[Read]:
        return self._plan.reads(self._start, self._stop)

    def __len__(self) -> int:
        return (self._stop - self._start) * self._plan.accumulate


def _fetch(dataset: SequenceDataset, read: Read) -> Sequences:
    parts = []
    for epoch, rows in itertools.groupby(zip(read.epochs, read.indices, strict=True), key=lambda row: row[0]):
        parts.append(dataset.fetch([index for _, index in rows], epoch=epoch))
    return parts[0] if len(parts) == 1 else Sequences.cat(parts)


class _Fetcher(Dataset[Sequences | InputError]):
    def __init__(self, dataset: SequenceDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, read: Read) -> Sequences | InputError:
        # An error returned instead of raised reaches the caller without the worker's traceback
        # pasted into its message.
        try:
            return _fetch(self._dataset, read)
        except InputError as error:
            return error


def reading_processes(dataset: SequenceDataset, asked: int | None, *, ranks: int = 1) -> int:
    """The number of processes that read ahead for a training; no result depends on it.

    Args:
        dataset: The dataset to read from.
        asked: The number that is asked for; when None, 0 for data in memory, else as many as there are cores for each
            rank, at most :data:`MOST_READERS`.
        ranks: Number of processes that share the training.
    """
    if asked is not None:
        return asked
    return 0 if dataset.in_memory else max(1, min(MOST_READERS, usable_cores() // ranks))


def training_batches(
    dataset: SequenceDataset,
    plan: BatchPlan,
    *,
    start: int,
    stop: int,
    workers: int = 0,
    pin_memory: bool = False,
) -> Generator[Sequences, None, None]:
    """Read this process's micro-batches of the optimiser steps ``[start, stop)``.

    Args:
        dataset: The dataset to read from; whole micro-batches are fetched at once.
        plan: The plan of which sequences belong to which step.
        start: The first step.
        stop: The step after the last.
        workers: Number of processes that read ahead; they live as long as the iterator.
        pin_memory: Whether batches lie in page-locked memory, so that copies to a GPU need no wait.

    Raises:
        InputError: A file of the dataset cannot be read (:meth:`SequenceDataset.fetch`).
    """
    loader: DataLoader[Sequences | InputError] = DataLoader(
        _Fetcher(dataset),
        batch_size=None,
        sampler=_Reads(plan, start, stop),
        num_workers=workers,
        pin_memory=pin_memory,
        # Its own generator: else the loader takes a draw from torch's global stream.
        generator=torch.Generator().manual_seed(mix_seed(plan.seed, start)),
    )
    for batch in loader:
        if isinstance(batch, InputError):
            raise batch
        yield batch
