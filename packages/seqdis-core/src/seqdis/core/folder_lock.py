"""One writer a folder: the lock of a run, of a folder of shards, of prepared data."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import platform
import shlex
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from seqdis.core.errors import InputError
from seqdis.core.leftovers import LOCK_FILE, is_alive, machine, remove_leftovers

__all__ = ["FolderInUseError", "holds_nothing", "only_writer"]

HOLDER_FILE = ".lock-holder.json"
"""Name of the file that says who has the lock; it counts while the lock is held."""

_NO_LOCKS_HERE = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_MOMENT, _PATIENCE, _LONGEST_COMMAND = 0.05, 15.0, 300
_logger = logging.getLogger(__name__)
# The folders that a thread of this process has, with the numbers of the two: a process that is forked has a copy.
_held: dict[Path, tuple[int, int]] = {}


class FolderInUseError(InputError):
    """Another process writes into the folder."""


@dataclass(frozen=True)
class _Holder:
    """The process that has a folder: its number, where it runs, and the command that started it."""

    pid: int
    host: str
    machine: str
    command: str
    since: str

    @classmethod
    def this(cls) -> _Holder:
        words = [Path(sys.argv[0]).name, *sys.argv[1:]]
        if words[0] in ("", "-c", "-m", "__main__.py"):  # a module, or no file
            words = [Path(sys.orig_argv[0]).name, *sys.orig_argv[1:]]
        command = textwrap.shorten(shlex.join(words), _LONGEST_COMMAND, placeholder=" …")
        return cls(os.getpid(), platform.node(), machine(), command, time.strftime("%Y-%m-%d %H:%M:%S"))

    @classmethod
    def read(cls, folder: Path) -> _Holder | None:
        try:
            values = json.loads((folder / HOLDER_FILE).read_text(encoding="utf-8"))
            return cls(
                int(values["pid"]), *(str(values[key]) for key in ("host", "machine", "command", "since"))
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @property
    def is_dead(self) -> bool:
        """Whether it is known not to run any more, so that the lock is held by another one or about to be free."""
        return self.machine == machine() and not is_alive(self.pid)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.command}), since {self.since}"


@contextlib.contextmanager
def only_writer(folder: Path, *, temporary: bool = False, helped: bool = False) -> Iterator[None]:
    """Have a folder for this process's writing alone, within a ``with`` block; leftovers of killed writers are removed.

    The lock is the operating system's, so that a process that ends, however it ends, gives it back. A thread that has
    the folder may ask again. A folder that is made for it and stays empty is removed again.

    Args:
        folder: Folder to write into; made where it is not there.
        temporary: Whether the folder goes also where it was there before, if it is empty at the end.
        helped: Whether processes on other machines write for the one that has the lock; they may outlive it, so that
            what they make stays until the caller removes it.

    Raises:
        FolderInUseError: Another process, or another thread of this one, has it; the message says which.
        InputError: The folder cannot be made or written to.
    """
    home, me = folder.resolve(), (os.getpid(), threading.get_ident())
    if _held.get(home) == me:
        yield
        return
    with contextlib.ExitStack() as stack:
        made = _make(folder)
        stack.callback(_remove_empty, made or [folder] if temporary else made)
        stack.enter_context(_locked(folder))
        _held[home] = me
        stack.callback(_held.pop, home)
        remove_leftovers(folder, below=True, held=not helped)
        yield


def holds_nothing(folder: Path) -> bool:
    """Whether a folder is not there, or is empty but for the files of its lock."""
    return not folder.exists() or all(path.name in (LOCK_FILE, HOLDER_FILE) for path in folder.iterdir())


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = _acquire(folder)
    if lock is None:
        yield
        return
    holder, pid = folder / HOLDER_FILE, os.getpid()
    try:
        try:
            holder.unlink(missing_ok=True)  # that of a killed process may belong to another user
            holder.write_text(json.dumps(asdict(_Holder.this())) + "\n", encoding="utf-8")
        except OSError as error:
            raise _unwritable(folder, error) from error
        yield
    finally:
        if os.getpid() == pid:  # a process that was forked here leaves what is not its own
            for name in (HOLDER_FILE, *([LOCK_FILE] if isinstance(lock, FileLock) else [])):
                with contextlib.suppress(OSError):  # some systems keep a file that is open
                    (folder / name).unlink(missing_ok=True)
            lock.release()


def _acquire(folder: Path) -> FileLock | None:
    """Take the lock; None where the file system has no locks."""
    # Whoever may write to the folder may take its lock, also where another user's process was killed.
    lock = FileLock(folder / LOCK_FILE, mode=folder.stat().st_mode & 0o666)
    began, looks = time.monotonic(), 0
    while True:
        try:
            lock.acquire(blocking=False)
            return lock
        except Timeout:
            holder, looks = _Holder.read(folder), looks + 1
            dead = holder is not None and holder.is_dead
            # Just after it was taken the name of its last holder may stand there still; and processes that a killed
            # one had forked may have it open for a while.
            settled = looks > 1 and holder is not None and not dead
            if settled or time.monotonic() - began > (_PATIENCE if dead else _PATIENCE / 10):
                raise FolderInUseError(
                    f"{folder}: is being written to by {holder if settled else 'another process'}; wait until it has "
                    "ended, or choose another folder (--out)"
                ) from None
            time.sleep(_MOMENT)
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                raise _unwritable(folder, error) from error
            _logger.warning(
                "%s: this file system has no locks; see to it that no other process writes there", folder
            )
            return None


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError(f"{folder}: cannot be written: {error.strerror or error}")


def _make(folder: Path) -> list[Path]:
    """Make a folder and those that it lies in; those that were not there, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; a folder is needed")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror or error}") from error
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with contextlib.suppress(OSError):  # something lies in it
            folder.rmdir()
