"""Processes forked from this one, so that each begins with torch and seqdis imported, and their limits."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ADDRESS_SPACE", "Child", "Ended", "limit_memory", "start"]

ADDRESS_SPACE = 4 << 30
"""Bytes of address space that a child may map beside what it was forked with, so that the machine is never in danger."""


@dataclass(frozen=True)
class Ended:
    """The end of a child.

    Attributes:
        code: Exit code; minus the signal's number where a signal ended it.
        seconds: Time from fork to end, in seconds.
        peak: Largest resident memory, in bytes.
        output: What it wrote to stdout and stderr.
        timed_out: Whether it was killed for it took too long.
    """

    code: int
    seconds: float
    peak: int
    output: str
    timed_out: bool = False

    @property
    def traceback(self) -> bool:
        """Whether the child showed a traceback, or was ended by a fault of its own such as a segmentation fault."""
        faults = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
        return "Traceback (most recent call last)" in self.output or -self.code in faults

    @property
    def error(self) -> str:
        """The last line of the output, which names what was wrong; of one that was stopped, how long it took."""
        if self.timed_out:
            return f"no end after {self.seconds:.0f} s"
        return ([line for line in self.output.splitlines() if line.strip()] or [f"exit code {self.code}"])[-1]


def limit_memory(more: int = ADDRESS_SPACE) -> None:
    """Let this process map so many more bytes and no further; an allocation beyond raises MemoryError."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + more
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))


@dataclass(frozen=True)
class Child:
    """A running child, which leads a process group of its own.

    Attributes:
        pid: Number of the process.
        output: File of what it writes to stdout and stderr.
        began: Time of the fork on the monotonic clock, in seconds.
    """

    pid: int
    output: Path
    began: float

    def wait(self, seconds: float) -> Ended:
        """Wait for the end; a child that takes longer is killed and counts as timed out."""
        in_time = self.wait_until(seconds)
        if not in_time:
            self.kill()
        return self.end(timed_out=not in_time)

    def wait_until(self, seconds: float) -> bool:
        """Wait for so long at most; True if the child has ended."""
        handle = os.pidfd_open(self.pid)
        try:
            return bool(select.select([handle], [], [], max(0.0, seconds))[0])
        finally:
            os.close(handle)

    def kill(self) -> None:
        """Send SIGKILL to the child and to all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self, *, timed_out: bool = False) -> Ended:
        """Take leave of a child that has ended or was killed; what it started is killed as well."""
        _, status, usage = os.wait4(self.pid, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        seconds = time.monotonic() - self.began
        output = self.output.read_text(encoding="utf-8", errors="replace")
        peak = usage.ru_maxrss * 1024
        return Ended(os.waitstatus_to_exitcode(status), seconds, peak, output, timed_out)


def start(action: Callable[[], int], output: Path, *, folder: Path | None = None) -> Child:
    """Fork a child that does one thing and ends with the exit code that this returns.

    Args:
        action: The thing to do; an exception that leaves it is printed, and the exit code is 1.
        output: File for stdout and stderr.
        folder: Working folder of the child; that of this process when omitted.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(b"")
    sys.stdout.flush()
    sys.stderr.flush()
    began = time.monotonic()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # the child does the same; whoever comes first
            os.setpgid(pid, pid)
        return Child(pid, output, began)
    code = 1
    try:
        os.setpgid(0, 0)
        _end_with_parent()
        _redirect(output)
        if folder is not None:
            os.chdir(folder)
        limit_memory()
        code = action()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        os._exit(code)


def _end_with_parent() -> None:
    """Be killed when the process that forked this one ends, however it ends."""
    with contextlib.suppress(OSError, AttributeError):  # Linux alone has it
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _redirect(output: Path) -> None:
    handle = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    # Whatever stood for them before, such as what a test captures.
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    signal.signal(signal.SIGINT, signal.default_int_handler)
