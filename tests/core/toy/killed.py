"""A process that is killed before each of its changes on the disk in turn: fork is quick, so that none is left out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

CHANGES = ("fsync", "link", "mkdir", "open", "rename", "replace", "rmdir", "unlink", "write")


def _kill_at(moment: int) -> None:
    calls = count()

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(calls) == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return change(*arguments, **options)

        return call

    for name in CHANGES:
        setattr(os, name, counted(getattr(os, name)))


def in_a_fork(action: Callable[[], object], *, kill_at: int = -1) -> bool:
    """Call a function in a process of its own; whether it came to its end, which it does where it is not killed."""
    child = os.fork()
    if child == 0:
        try:
            _kill_at(kill_at)
            action()
            os._exit(0)
        except BaseException as error:  # pytest must not go on in this process
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert status == 0, "the process failed"
    return True


def kills(action: Callable[[], object], *, before: Callable[[], object], every: int = 1) -> Iterator[int]:
    """Kill a function before its first change on the disk, its second, …, until it comes to its end.

    Args:
        action: The function.
        before: What makes everything as it was, before each try.
        every: So manieth changes alone.

    Yields:
        The number of the change that did not happen, right after the kill.
    """
    for moment in count(0, every):
        before()
        if in_a_fork(action, kill_at=moment):
            if moment < 5:
                pytest.fail("hardly anything was changed: what is tested here?")
            return
        yield moment
