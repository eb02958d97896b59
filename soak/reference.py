"""What a scenario leaves when nobody disturbs it, and the folder that it starts from."""

from __future__ import annotations

import functools
import shutil
from dataclasses import dataclass
from pathlib import Path

from soak.children import Ended, start
from soak.commands import seqdis
from soak.killing import counted
from soak.outcome import outcome
from soak.scenarios import Scenario

__all__ = ["PATIENCE", "Reference", "run", "undisturbed"]

PATIENCE = 600.0
"""Seconds after which a command counts as one that hangs, on a machine that may have much else to do."""


@dataclass(frozen=True)
class Reference:
    """A scenario that ran to its end once.

    Attributes:
        scenario: The scenario.
        base: Folder that every run of it starts from, copied.
        expected: Digest of each file that it leaves, by path.
        operations: Number of file operations that change something.
        seconds: Time that it took, in seconds.
        growth: Bytes that it adds to the disk.
    """

    scenario: Scenario
    base: Path
    expected: dict[str, str]
    operations: int
    seconds: float
    growth: int

    def copy(self, to: Path) -> Path:
        """A fresh folder to run the scenario in; whatever was there before is removed."""
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(self.base, to)
        return to


def run(words: tuple[str, ...], folder: Path) -> Ended:
    """Run a command in a folder, undisturbed."""
    return start(functools.partial(seqdis, words), folder.parent / "output.txt", folder=folder).wait(PATIENCE)


def undisturbed(scenario: Scenario, place: Path) -> Reference:
    """Make a scenario's base and run it once.

    Raises:
        RuntimeError: A command of it fails although nobody disturbs it; the message holds its output.
    """
    base, folder = place / "base", place / "work"
    shutil.rmtree(place, ignore_errors=True)
    base.mkdir(parents=True)
    scenario.files(base)
    # In one place, as the runs to come: some files hold paths, and some tables their lengths.
    base.rename(folder)
    for words in scenario.before:
        _checked(run(words, folder), words)
    shutil.copytree(folder, base)
    count = place / "operations"
    action = counted(functools.partial(seqdis, scenario.words), count)
    ended = _checked(start(action, place / "output.txt", folder=folder).wait(PATIENCE), scenario.words)
    return Reference(
        scenario=scenario,
        base=base,
        expected=outcome(folder),
        operations=int(count.read_text(encoding="ascii")),
        seconds=ended.seconds,
        growth=max(0, _size(folder) - _size(base)),
    )


def _checked(ended: Ended, words: tuple[str, ...]) -> Ended:
    if ended.code != 0:
        raise RuntimeError(f"seqdis {' '.join(words)}: exit code {ended.code}\n{ended.output}")
    return ended


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
