"""A command on a disk that is too small for what it writes, and once more when there is space."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

from soak.kills import Chain
from soak.outcome import broken_files, differences, outcome
from soak.reference import PATIENCE, Reference, run

__all__ = ["fill_disk", "why_no_small_disk"]

_AMPLE = "256m"


def why_no_small_disk(place: Path) -> str | None:
    """The reason why no small disk can be mounted here; None where one can."""
    place.mkdir(parents=True, exist_ok=True)
    try:
        _mount(place, "1m")
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        return f"a tmpfs cannot be mounted: {' '.join(str(said).split())}"
    _unmount(place)
    return None


def fill_disk(reference: Reference, seed: int, place: Path) -> Chain:
    """Run a scenario on a disk of a random size up to what it needs, then on a large one, and compare.

    The first run ends with exit code 2 and one line, leaves no half-written file and loses nothing; the second ends
    as if the disk had been large from the beginning.
    """
    draw, chain, scenario = random.Random(seed), Chain(), reference.scenario
    disk = place / "work"
    shutil.rmtree(disk, ignore_errors=True)
    disk.mkdir()
    _mount(disk, _AMPLE)
    try:
        shutil.copytree(reference.base, disk, dirs_exist_ok=True)
        status = os.statvfs(disk)
        taken = (status.f_blocks - status.f_bfree) * status.f_frsize
        # In whole pages, of which many files take more than their bytes.
        free = draw.randrange(status.f_frsize, max(4 * reference.growth, 16 * status.f_frsize))
        _mount(disk, str(taken + free), again=True)
        kept = scenario.progress(disk)
        chain.moments.append(f"a disk with {free} bytes free")
        ended = run(scenario.words, disk)
        chain.note(ended)
        if ended.timed_out:
            chain.problems.append(f"hangs: no end after {PATIENCE:.0f} s")
        elif ended.traceback or ended.code not in (0, 2):
            chain.problems.append(f"exit code {ended.code}: {ended.error}")
        elif ended.code == 2:
            chain.kills += 1
            if scenario.progress(disk) < kept:
                chain.problems.append("lost: what was there before is gone")
        chain.problems += [f"{name} is half-written" for name in broken_files(disk)]
        _mount(disk, _AMPLE, again=True)
        ended = run(scenario.words, disk)
        chain.note(ended)
        if ended.code != 0:
            chain.problems.append(f"does not go on: exit code {ended.code}: {ended.error}")
        else:
            chain.problems += differences(reference.expected, outcome(disk))
    finally:
        _unmount(disk)
    return chain


def _mount(folder: Path, size: str, *, again: bool = False) -> None:
    options = f"remount,size={size}" if again else f"size={size}"
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    subprocess.run(words, check=True, capture_output=True, text=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)
