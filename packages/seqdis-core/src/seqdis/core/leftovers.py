"""Temporary folders: what they are called, and the removal of those that a killed process left.

A name says what the folder is, what it belongs to, and which process of which machine made it::

    .partial-step-00000100-9f31c07a-4711-5e8d0c1b          a folder that is being written
    .partial-metrics.json-9f31c07a-4711-c4a90f3e           the home of a file that is being written
    .replaced-prior-9f31c07a-4711-1b7e2c90                 what stood at ``prior`` until the new one takes its place
    .removed-step-00000050-9f31c07a-4711-77ab01de          a folder whose removal has begun
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqdis.core.errors import InputError

__all__ = ["LOCK_FILE", "is_alive", "machine", "remove_leftovers", "temporary_path"]

Kind = Literal["partial", "replaced", "removed"]

LOCK_FILE = ".lock"
"""Name of the file by which a process has a folder for itself; see :mod:`seqdis.core.folder_lock`."""

_PATTERN = re.compile(
    r"\.(?P<kind>partial|replaced|removed)-(?P<name>.+)-(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}"
)
# A name may have 255 bytes; what is added to it takes up to 40.
_LONGEST = 200


@functools.cache
def machine() -> str:
    """Eight digits for the numbers of processes that mean the same as here: those of this boot and this container."""
    known = [platform.node()]
    with contextlib.suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256(repr(known).encode()).hexdigest()[:8]


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs; one that was killed and whose parent has not asked for it does not."""
    if os.name != "posix":
        return True  # there is no way to ask that has no effect
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    try:
        state = (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="utf-8", errors="replace")
            .rpartition(")")[2]
            .split()[0]
        )
    except (OSError, IndexError):
        return True
    return state not in ("Z", "X")


def temporary_path(path: Path, kind: Kind = "partial") -> Path:
    """A path beside ``path`` that nothing has, for the folder of what is to become it or has been it.

    Args:
        path: Path of the whole.
        kind: State of the temporary folder: half written, moved aside, or half removed.

    Raises:
        InputError: The path ends in no name, such as ``..``.
    """
    name = path.name
    if name in ("", ".."):
        raise InputError(f"{path}: has no name of its own; needed is the path of a file or a new folder")
    if len(os.fsencode(name)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
    return path.with_name(f".{kind}-{name}-{machine()}-{os.getpid()}-{secrets.token_hex(4)}")


@dataclass(frozen=True)
class _Leftover:
    """A temporary folder, read from its name."""

    path: Path
    kind: str
    target: str
    machine: str
    pid: int

    @property
    def is_ours(self) -> bool:
        """Whether a process of this machine made it."""
        return self.machine == machine()

    @property
    def is_in_use(self) -> bool:
        """Whether the process that made it is known to run."""
        return self.is_ours and is_alive(self.pid)


def _leftovers(folder: Path) -> Iterator[_Leftover]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(".") and (match := _PATTERN.fullmatch(name)):
            yield _Leftover(folder / name, match["kind"], match["name"], match["machine"], int(match["pid"]))


def remove_leftovers(
    folder: Path, *, below: bool = False, targets: Collection[str] | None = None, held: bool = False
) -> None:
    """Remove what killed processes left in a folder; an old folder whose successor did not come takes its place again.

    What belongs to a process of this machine that runs stays in any case.

    Args:
        folder: Folder to look in.
        below: Whether to look in all folders below it as well, but for those that another process has locked.
        targets: Names of the files and folders whose leftovers are meant; all when omitted.
        held: Whether the caller holds the lock that every writer holds, so that what another machine made is a
            leftover, too.
    """
    for found in list(_leftovers(folder)):
        if (
            found.is_in_use
            or not (held or found.is_ours)
            or (targets is not None and found.target not in targets)
        ):
            continue
        whole = folder / found.target
        with contextlib.suppress(OSError):  # another process may see to it at the same time
            if found.kind == "replaced" and not whole.exists():
                found.path.rename(whole)
            else:
                shutil.rmtree(found.path, ignore_errors=True)
    if below:
        for inner in _folders(folder):
            if not (inner / LOCK_FILE).exists():
                remove_leftovers(inner, below=True, targets=targets, held=held)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
