"""Ctrl-C and SIGTERM during a training: noticed at once, obeyed after the step, by all processes together."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Generator, Iterator
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor

from seqdis.core.errors import TrainingInterrupted, TrainingTerminated

__all__ = ["StopSignals"]

T = TypeVar("T")

_DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
# `timeout` and launchers send a signal both to a process and to its group: that is not a second Ctrl-C.
_ONE_PRESS = 0.3


class StopSignals:
    """Takes Ctrl-C and SIGTERM as requests to stop, within a ``with`` block.

    A second Ctrl-C is a ``KeyboardInterrupt`` at once. A signal that is ignored, or that somebody else handles,
    stays as it is; so do all of them outside the main thread, where Python lets none be handled.

    Args:
        accelerator: The accelerator, whose processes stop at the same step.
    """

    def __init__(self, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._received, self._moment = 0, 0.0
        self._taken: list[signal.Signals] = []
        self._vote: _Vote | None = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._taken = [number for number, usual in _DEFAULTS.items() if signal.getsignal(number) == usual]
        for number in self._taken:
            signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in self._taken:
            signal.signal(number, _DEFAULTS[number])

    def _receive(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._received:
            self._received, self._moment = number, now
        elif number == signal.SIGINT and now - self._moment > _ONE_PRESS:
            raise KeyboardInterrupt

    def shield(self, batches: Iterator[T]) -> Generator[T, None, None]:
        """The same batches, from loader processes that do not see the signals and so finish what they read.

        A terminal and a cluster send them to the whole group of processes.
        """
        with _blocked(self._taken):  # which processes inherit that start here
            first = next(batches, None)
        if first is not None:
            yield first
            yield from batches

    def agreed(self, *, wait: bool = False) -> int:
        """The number of the signal by which all processes stop now, 0 for none; each must ask after every step.

        Of several processes the answer is that of the step before, which waits for no device.

        Args:
            wait: Whether to wait for the present answer of all processes.
        """
        if self._accelerator.num_processes == 1:
            return self._received
        before, self._vote = self._vote, _Vote(self._received, self._accelerator.device)
        asked = self._vote if wait else before
        return 0 if asked is None else asked.result()

    def leave(self, number: int, message: str) -> NoReturn:
        """End the training by the exception that belongs to a signal.

        Args:
            number: Number of the signal.
            message: The way to go on, in one line.

        Raises:
            TrainingInterrupted: The signal is that of Ctrl-C.
            TrainingTerminated: The signal is SIGTERM.
        """
        if number == signal.SIGTERM:
            raise TrainingTerminated(message)
        raise TrainingInterrupted(message)


class _Vote:
    """The greatest number that a process has given, on its way to all of them."""

    def __init__(self, own: int, device: torch.device) -> None:
        votes = torch.full((1,), own, dtype=torch.int32, device=device)
        torch.distributed.all_reduce(votes, op=torch.distributed.ReduceOp.MAX)
        self._event: torch.cuda.Event | None = None
        self._votes: Tensor = votes
        if device.type == "cuda":
            # Asking the device for a number waits for all that is queued on it; a copy that is queued here does not.
            self._votes = torch.empty(1, dtype=torch.int32, pin_memory=True)
            self._votes.copy_(votes, non_blocking=True)
            self._event = torch.cuda.Event()
            self._event.record()

    def result(self) -> int:
        if self._event is not None:
            self._event.synchronize()
        return int(self._votes)


@contextlib.contextmanager
def _blocked(signals: list[signal.Signals]) -> Iterator[None]:
    if not signals or not hasattr(signal, "pthread_sigmask"):  # Windows has none
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
