"""Processes that compute shards; one that dies is replaced, and what it had is run again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Self

from seqdis.core.errors import InputError
from seqdis.core.executors.executor import groups_of
from seqdis.core.executors.shard_job import ShardJob
from seqdis.core.executors.shard_work import work

__all__ = ["ProcessPool"]


def _serve(connection: Connection, job: ShardJob, workers: int, number: int) -> None:
    """Compute the groups of shards that are sent to this process, and tell of each shard that is written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    os.environ["LOCAL_RANK"] = str(number)
    try:
        opened = job.open()
        connection.send(("ready", None))
        while (group := connection.recv()) is not None:
            for shard in work(job, group, workers=workers, worker=opened):
                connection.send(("finished", shard))
            connection.send(("ready", None))
    except (EOFError, BrokenPipeError):
        return  # the other end is gone
    except InputError as error:
        connection.send(("refused", str(error)))
    except BaseException:
        connection.send(("failed", traceback.format_exc()))


class _Process:
    """One process, this end of its connection, and the shards that it still has to compute."""

    def __init__(self, job: ShardJob, workers: int, number: int) -> None:
        context = multiprocessing.get_context("spawn")  # a process that was forked cannot use CUDA
        self.number, self.group = number, list[int]()
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, job, workers, number))
        self.process.start()
        other.close()

    def end(self) -> None:
        """Stop at once; a shard that is being computed stays absent."""
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.connection.close()


class ProcessPool:
    """Some processes that share the shards of a job; used in a ``with`` statement, which ends them.

    Args:
        job: The job that the shards belong to.
        count: Number of processes.
        workers: Number of further processes beside each, which read ahead.
        losses: Number of times that a shard is run again after the process that had it has died.
    """

    def __init__(self, job: ShardJob, count: int, *, workers: int, losses: int) -> None:
        self._job, self._count, self._workers, self._losses = job, count, workers, losses
        self._processes: list[_Process] = []

    def __enter__(self) -> Self:
        self._processes = [_Process(self._job, self._workers, number) for number in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.end()

    def run(self, shards: Sequence[int]) -> Iterator[int]:
        """Compute shards, and yield the number of each whose file is written.

        Raises:
            InputError: An input cannot be used, or the processes that had a shard died too often.
            RuntimeError: A process failed otherwise; its traceback is the message.
        """
        queue, lost, missing = deque(groups_of(shards, self._count)), Counter[int](), set(shards)
        while missing:
            ready: Any = wait([process.connection for process in self._processes])
            for index, process in enumerate(self._processes):
                if process.connection not in ready:
                    continue
                try:
                    word, content = process.connection.recv()
                except (EOFError, ConnectionResetError):
                    if left := self._replace(index, lost):
                        queue.appendleft(left)
                    continue
                if word == "finished":
                    process.group.remove(content)
                    if content in missing:
                        missing.remove(content)
                        yield content
                elif word == "ready":
                    process.group = queue.popleft() if queue else []
                    if process.group:
                        process.connection.send(list(process.group))
                else:
                    raise (InputError if word == "refused" else RuntimeError)(content)

    def _replace(self, index: int, lost: Counter[int]) -> list[int]:
        """Start a process in place of a dead one, and return the shards that it leaves."""
        dead = self._processes[index]
        dead.end()
        first = dead.group[0] if dead.group else -1
        lost[first] += 1
        if lost[first] > self._losses:
            where = "before its first shard" if first < 0 else f"in shard {self._job.path(first).name}"
            raise InputError(
                f"a process died {lost[first]} times {where} (exit code {dead.process.exitcode}; -9 is often a lack "
                "of memory); --executor-option processes=1 takes the least"
            )
        self._processes[index] = _Process(self._job, self._workers, dead.number)
        return dead.group
