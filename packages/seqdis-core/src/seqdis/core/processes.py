"""The processes that ``accelerate launch`` started together, or the only one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["Processes", "ReportedElsewhere", "check_launch", "is_first_process"]

T = TypeVar("T")

_RANKS = ("RANK", "PMI_RANK", "OMPI_COMM_WORLD_RANK", "MV2_COMM_WORLD_RANK")
"""Variables that a launcher of several processes sets."""


class ReportedElsewhere(InputError):
    """An unusable input that the first process reports, so that a launch of several prints one line."""


def is_first_process() -> bool:
    """Whether this process is the one that prints results, of those that were launched together."""
    return os.environ.get("RANK", "0") == "0"


class Processes:
    """Rank and number of the processes of this launch, and a way to exchange values between them.

    Used in a ``with`` statement: where there are several, the connection is opened on entry and closed on exit.

    Args:
        cpu: Whether the work is done on the CPU, even where there are GPUs.
    """

    def __init__(self, *, cpu: bool) -> None:
        self._cpu = cpu
        self._state: Any = None
        self._group: Any = None
        self.rank, self.count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))

    @classmethod
    def of(cls, accelerator: Accelerator) -> Self:
        """The processes that an accelerator has connected already."""
        processes = cls(cpu=accelerator.device.type == "cpu")
        processes.rank, processes.count = accelerator.process_index, accelerator.num_processes
        return processes

    def __enter__(self) -> Self:
        check_launch()
        if self.count > 1:
            from accelerate import PartialState
            from torch import distributed

            self._state = PartialState(cpu=self._cpu)
            # Shares of the work may differ by hours, and the first to finish waits for the last;
            # only the connection at the start keeps the usual, short limit.
            self._group = distributed.new_group(backend="gloo", timeout=timedelta(days=7))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._state is not None:
            self._state.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prints results."""
        return self.rank == 0

    def gather(self, value: T) -> list[T]:
        """The value of every process, by rank, in every process; also a barrier."""
        if self.count == 1:
            return [value]
        from torch import distributed

        gathered: list[Any] = [None] * self.count
        distributed.all_gather_object(gathered, value, group=self._group)
        return gathered

    def together(self, action: Callable[[], T]) -> T:
        """Do the same in every process, all of it or nothing; also a barrier.

        Returns:
            The result of the action in this process.

        Raises:
            InputError: The action has failed in one of them: the first process says what was wrong there, and the
                others raise :class:`ReportedElsewhere`.
        """
        if self.count == 1:
            return action()
        result: Any = None
        failure: str | None = None
        try:
            result = action()
        except InputError as error:
            failure = str(error)
        failures = [message for message in self.gather(failure) if message is not None]
        if failures:
            raise (InputError if self.is_first else ReportedElsewhere)(failures[0])
        done: T = result
        return done

    @contextlib.contextmanager
    def in_first(self, context: AbstractContextManager[Any]) -> Iterator[None]:
        """Enter a context in the first process alone: the lock of a folder that the others write to for it.

        Raises:
            InputError: The context cannot be entered; of several processes, the first says why.
        """
        with contextlib.ExitStack() as stack:
            self.together(lambda: stack.enter_context(context) if self.is_first else None)
            yield


def check_launch() -> None:
    """Check that a launcher which was to start several processes has done so.

    ``accelerate launch --num_processes 2`` starts a single one where it has no two GPUs or is told ``--cpu``; it leaves
    the address of the first of them in the environment, and no rank.

    Raises:
        InputError: This process is alone and should not be.
    """
    told = "ACCELERATE_USE_CPU" in os.environ and "MASTER_PORT" in os.environ
    if told and not any(name in os.environ for name in _RANKS):
        raise InputError(
            "accelerate launch: on the CPU, and on one GPU, it starts a single process whatever --num_processes says; start "
            "several on the CPU by `torchrun --nproc_per_node 2 -m seqdis.core.cli … --device cpu`, or leave it out"
        )
