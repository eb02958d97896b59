"""Calls in several processes of this machine; a process that dies takes one call along and not the rest."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

__all__ = ["Outcome", "outcomes", "usable_cores"]

J = TypeVar("J")


@dataclass(frozen=True)
class Outcome(Generic[J]):
    """The end of one call.

    Attributes:
        job: The argument of the function.
        value: The result of the function; None where it failed.
        error: The reason why it failed, in a line; None where it did not.
    """

    job: J
    value: Any
    error: str | None


def usable_cores() -> int:
    """The number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def outcomes(function: Callable[[J], Any], jobs: Sequence[J], *, workers: int) -> Generator[Outcome[J]]:
    """Call a function once for each job, and yield how each call ended, in the order in which they end.

    With one worker the calls are made in this process, else in processes of one thread each. When the iteration ends
    early, they are stopped.

    Args:
        function: The function; it, its argument and its result must be picklable.
        jobs: The arguments of the calls.
        workers: Number of processes.
    """
    workers = min(workers, len(jobs))
    if workers <= 1:
        for job in jobs:
            yield _call(function, job)
        return
    pending = list(reversed(jobs))
    running = [_Worker(function) for _ in range(workers)]
    try:
        for worker in running:
            worker.start(pending.pop())
        while any(worker.busy for worker in running):
            ready = wait([worker.connection for worker in running if worker.busy])
            for index, worker in enumerate(running):
                if not (worker.busy and worker.connection in ready):
                    continue
                outcome = worker.finish()
                if outcome is None:
                    outcome = Outcome(
                        worker.job, None, f"the process that worked on it died ({worker.exit()})"
                    )
                    worker.stop()
                    if pending:
                        running[index] = _Worker(function)
                if pending:
                    running[index].start(pending.pop())
                yield outcome
    finally:
        for worker in running:
            worker.stop()


def _call(function: Callable[[J], Any], job: J) -> Outcome[J]:
    try:
        return Outcome(job, function(job), None)
    except Exception as error:  # whatever a decoder throws at one file must not stop the others
        text = " ".join(str(error).split()) or type(error).__name__
        return Outcome(
            job, None, text if isinstance(error, ValueError) else f"{type(error).__name__}: {text}"
        )


class _Worker:
    """A process and the job that it works on."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("spawn")  # threads of libraries do not survive a fork
        self.connection, theirs = context.Pipe()
        self.job: Any = None
        self.busy = False
        self._process: BaseProcess = context.Process(target=_serve, args=(theirs, function), daemon=True)
        self._process.start()
        theirs.close()

    def start(self, job: Any) -> None:
        self.job, self.busy = job, True
        with contextlib.suppress(OSError):  # it died: finish() finds out
            self.connection.send(job)

    def finish(self) -> Outcome[Any] | None:
        """The outcome of the job; None where the process died."""
        self.busy = False
        try:
            value, error = self.connection.recv()
        except (EOFError, OSError):
            return None
        return Outcome(self.job, value, error)

    def exit(self) -> str:
        """The exit code or the signal by which the process ended."""
        self._process.join(timeout=10)
        code = self._process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def stop(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()


def _serve(connection: Connection, function: Callable[[Any], Any]) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the process that started this one decides what Ctrl-C means
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(EOFError, OSError):  # the process that gave the work is gone
        while True:
            outcome = _call(function, connection.recv())
            connection.send((outcome.value, outcome.error))
