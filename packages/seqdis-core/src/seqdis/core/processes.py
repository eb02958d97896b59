"""The processes that ``accelerate launch`` started together, or the only one."""

from __future__ import annotations

import os
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from seqdis.core.errors import InputError

__all__ = ["Processes", "ReportedElsewhere", "is_first_process"]

T = TypeVar("T")


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

    def __enter__(self) -> Self:
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
