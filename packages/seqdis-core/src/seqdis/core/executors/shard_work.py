"""Shards computed by one process, with their inputs read ahead."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from seqdis.core.errors import InputError
from seqdis.core.executors.shard_job import ShardJob, ShardWorker

__all__ = ["work"]


@dataclass(frozen=True)
class _Item:
    """A batch of a shard, the end of the shard, or what is wrong with it."""

    shard: int
    batch: Any = None
    last: bool = False
    error: str | None = None

    def pin_memory(self) -> _Item:
        """The same with the batch in page-locked memory, as the loader asks for."""
        pin = getattr(self.batch, "pin_memory", None)
        return self if pin is None else _Item(self.shard, pin())


class _Batches(IterableDataset[_Item]):
    """The batches of some shards; of several readers, each reads every so manieth shard."""

    def __init__(self, job: ShardJob, shards: Sequence[int]) -> None:
        self._job, self._shards = job, shards

    def __iter__(self) -> Iterator[_Item]:
        reader = get_worker_info()
        first, step = (0, 1) if reader is None else (reader.id, reader.num_workers)
        for shard in self._shards[first::step]:
            # An error returned instead of raised arrives without the reader's traceback in its message.
            try:
                for batch in self._job.read(shard):
                    yield _Item(shard, batch)
            except InputError as error:
                yield _Item(shard, error=str(error))
                return
            yield _Item(shard, last=True)


@contextlib.contextmanager
def _one_thread(job: ShardJob) -> Iterator[None]:
    """On the CPU one thread computes, for how many there are changes the last bits of sums."""
    threads = torch.get_num_threads()
    if job.device == "cpu":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def work(
    job: ShardJob, shards: Sequence[int], *, workers: int = 0, worker: ShardWorker | None = None
) -> Iterator[int]:
    """Compute some shards in this process, and yield the number of each whose file is there.

    Args:
        job: The job that the shards belong to.
        shards: Numbers of the shards; those that are there already are not computed again.
        workers: Number of processes that read ahead; each has one shard open.
        worker: The job as this process has opened it before; it is opened when omitted.

    Raises:
        InputError: An input cannot be used, or a file cannot be written.
    """
    there = [shard for shard in shards if job.path(shard).is_file()]
    yield from there
    todo = sorted(set(shards) - set(there))
    if not todo:
        return
    worker = worker or job.open()
    readers = min(workers, len(todo))
    loader: DataLoader[_Item] = DataLoader(
        _Batches(job, todo),
        batch_size=None,
        num_workers=readers,
        # A process that was not forked itself would have its readers import torch anew, for each group of shards.
        multiprocessing_context="fork" if readers and sys.platform == "linux" else None,
        pin_memory=job.device.startswith("cuda"),
        # Its own generator: else the loader takes a draw from torch's global stream.
        generator=torch.Generator(),
    )
    results: dict[int, list[Any]] = {}
    for item in loader:
        if item.error is not None:
            raise InputError(item.error)
        parts = results.setdefault(item.shard, [])
        with _one_thread(job):
            if not item.last:
                parts.append(worker.compute(item.shard, item.batch))
                continue
            worker.write(item.shard, results.pop(item.shard), job.path(item.shard))
        yield item.shard
