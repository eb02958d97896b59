"""Damaged files read one after another in a forked process, each with its time and its memory."""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from soak.children import start
from soak.containers import mutate_inside
from soak.mutations import mutate
from soak.readers import Reader

__all__ = ["MOST_BYTES", "MOST_SECONDS", "Reading", "attack", "damaged", "read_once"]

MOST_SECONDS = 20.0
"""Time that a file below 1 MB may take, in seconds of a processor, for a machine may have other things to do."""
MOST_BYTES = 1 << 30
"""Memory that reading a damaged file may take at its peak: all files here are small, and no limit of what a file may
claim (``SEQDIS_LIMITS``) allows more."""
_SMALL = 1 << 20
_ROOT = Path(__file__).parents[1]
_PATIENCE = 60.0


@dataclass(frozen=True)
class Reading:
    """What became of one damaged file.

    Attributes:
        seed: Seed that the file was made with.
        outcome: ``"read"``, ``"refused"`` in one line, or ``"failed"``.
        seconds: Time that it took.
        peak: Memory that it took at its peak beyond what was there, in bytes.
        message: What was wrong, the last line.
        detail: The traceback, where there is one.
    """

    seed: int
    outcome: str
    seconds: float
    peak: int
    message: str = ""
    detail: str = ""


def damaged(reader: Reader, seed: int) -> bytes:
    """The damaged file of a seed."""
    draw = random.Random(f"{reader.name} {seed}")
    change = mutate if reader.program else mutate_inside
    return change(draw.choice(list(reader.samples)), draw, reader.samples)


def attack(reader: Reader, first: int, count: int, place: Path) -> list[Reading]:
    """Read ``count`` damaged files, those of the seeds from ``first`` on; a process that dies is started again."""
    readings: list[Reading] = []
    while len(readings) < count:
        readings += _some(reader, first + len(readings), count - len(readings), place)
    return readings


def _some(reader: Reader, first: int, count: int, place: Path) -> list[Reading]:
    """Readings of one process: all of them, or up to the one that ended it."""
    shutil.rmtree(place, ignore_errors=True)
    folder = place / "input"
    if reader.folder is not None:
        shutil.copytree(reader.folder, folder)
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    receive, send = os.pipe()

    def read_all() -> int:
        os.close(receive)
        os.environ["SEQDIS_CACHE"] = str(place / "cache")
        with os.fdopen(send, "w", encoding="utf-8") as told:
            for seed in range(first, first + count):
                path.write_bytes(damaged(reader, seed))
                # The same size within one tick of the clock must not look like the same file.
                os.utime(path, ns=(seed, 10**18 + seed))
                told.write("begun\n")
                told.flush()
                told.write(json.dumps(asdict(read_once(reader.read, path, seed))) + "\n")
                told.flush()
        return 0

    child = start(read_all, place / "output.txt", folder=place)
    os.close(send)
    readings, began, ended_in_time = [], time.monotonic(), True
    with os.fdopen(receive, "rb", buffering=0) as told:
        rest = b""
        while ended_in_time:
            ready = select.select([told], [], [], _PATIENCE)[0]
            if not ready:
                ended_in_time = False
                child.kill()
                break
            piece = told.read(1 << 16)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                began = time.monotonic()
                if line != b"begun":
                    readings.append(Reading(**json.loads(line)))
    ended = child.end(timed_out=not ended_in_time)
    if len(readings) < count:  # the process ended in the middle of one
        seconds = time.monotonic() - began
        message = (
            f"no end after {_PATIENCE:.0f} s" if not ended_in_time else f"the process ended: {ended.code}"
        )
        readings.append(Reading(first + len(readings), "failed", seconds, 0, message, ended.output[-4000:]))
    return readings


def read_once(read: Callable[[Path], object], path: Path, seed: int) -> Reading:
    """Read a file and say what became of it; too slow or too large is a failure, too."""
    from seqdis.core.errors import InputError

    size = path.stat().st_size
    before = _start_of_memory()
    began = time.process_time()
    outcome, message, detail = "read", "", ""
    try:
        read(path)
    except (InputError, OSError) as error:
        outcome, message = "refused", str(error).replace(str(path.parent), "…")
    except BaseException as error:
        outcome, message = "failed", f"{type(error).__name__}: {' '.join(str(error).split())}"
        detail = (
            traceback.format_exc()
            .replace(f"{_ROOT}{os.sep}", "")
            .replace(sys.prefix, "…")
            .replace(sys.base_prefix, "…")
        )
    seconds, peak = time.process_time() - began, _peak_of_memory() - before
    if outcome != "failed" and seconds > MOST_SECONDS and size < _SMALL:
        outcome, message = "failed", f"took {seconds:.0f} s, for {size} bytes; {message}"
    elif outcome != "failed" and peak > MOST_BYTES:
        outcome, message = "failed", f"took {peak >> 20} MB of memory, for {size} bytes; {message}"
    return Reading(seed, outcome, round(seconds, 4), max(0, peak), message[:500], detail[-4000:])


def _start_of_memory() -> int:
    """Resident memory now, in bytes; from here on the peak is measured anew."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _peak_of_memory() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0
