"""SIGKILL at a file operation that is counted, or after a time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Moment", "counted", "killed_at_operation"]

_OPERATIONS = ("os.", "shutil.", "tempfile.")


@dataclass(frozen=True)
class Moment:
    """The moment at which a command is killed: one of the two is given.

    Attributes:
        operation: Number of the file operation before which it is killed, from 1.
        seconds: Time after its start, in seconds.
    """

    operation: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        if self.operation is not None:
            return f"before file operation {self.operation}"
        return f"after {self.seconds:.3f} s"


def _changes_files(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audit event is about to change the file system, or is one of the moments around a change."""
    if event == "open":
        flags = arguments[2] if len(arguments) > 2 else 0
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event.startswith(_OPERATIONS) and event not in ("os.listdir", "os.scandir", "os.walk", "os.fwalk")


def killed_at_operation(number: int, action: Callable[[], int]) -> Callable[[], int]:
    """The same action in a process that kills itself at a file operation; where each run does the same, so does this."""

    def run() -> int:
        left = number

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if _changes_files(event, arguments):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        return action()

    return run


def counted(action: Callable[[], int], to: Path) -> Callable[[], int]:
    """The same action, which writes the number of its file operations to a file."""

    def run() -> int:
        count = 0

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal count
            count += _changes_files(event, arguments)

        sys.addaudithook(watch)
        code = action()
        to.write_text(str(count), encoding="ascii")
        return code

    return run
