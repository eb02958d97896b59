"""A command that is killed again and again, and must end as if it never was."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass, field
from pathlib import Path

from soak.children import Ended, start
from soak.commands import seqdis
from soak.killing import Moment, killed_at_operation
from soak.outcome import broken_files, differences, outcome
from soak.reference import PATIENCE, Reference

__all__ = ["Chain", "kill_until_done"]

MOST_KILLS = 6
"""Kills of one run, after which it is left in peace; whatever they add up to must be survived."""


@dataclass
class Chain:
    """A run, the kills that it suffered, and what was wrong.

    Attributes:
        kills: Number of SIGKILLs that hit it while it ran.
        moments: When each of them came, in words.
        problems: What was lost, half-written, left over or refused; empty where all is well.
        seconds: Longest time of a start.
        peak: Largest resident memory of a start, in bytes.
    """

    kills: int = 0
    moments: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak: int = 0

    def note(self, ended: Ended) -> None:
        """Remember time and memory of a start."""
        self.seconds, self.peak = max(self.seconds, ended.seconds), max(self.peak, ended.peak)


def kill_until_done(reference: Reference, seed: int, place: Path) -> Chain:
    """Run a scenario and kill it at random moments until it comes to its end, then compare.

    After every kill no file under its final name is half-written, and nothing that was finished is gone; at the end
    every file is what an undisturbed run leaves, and no other file is there.

    Args:
        reference: The scenario, undisturbed.
        seed: Seed of the moments.
        place: Folder to work in; the run lies where the undisturbed one lay, so that paths agree.
    """
    draw, chain, scenario = random.Random(seed), Chain(), reference.scenario
    folder = reference.copy(place / "work")
    kept = scenario.progress(folder)
    while not chain.problems:
        moment = _draw_moment(draw, reference) if chain.kills < MOST_KILLS else None
        ended = _run(scenario.words, folder, moment)
        chain.note(ended)
        if ended.timed_out:
            chain.problems.append(f"hangs: no end after {PATIENCE:.0f} s")
        elif ended.code == -9:
            chain.kills += 1
            chain.moments.append(str(moment))
            chain.problems += [f"{name} is half-written" for name in broken_files(folder)]
            now = scenario.progress(folder)
            if now < kept:
                chain.problems.append(f"lost: {kept} was reached before the kill, {now} is left")
            kept = now
        elif ended.code == 0:
            chain.problems += differences(reference.expected, outcome(folder))
            break
        else:
            chain.problems.append(f"does not go on: exit code {ended.code}: {ended.error}")
    return chain


def _draw_moment(draw: random.Random, reference: Reference) -> Moment:
    if draw.random() < 0.6:
        return Moment(operation=draw.randint(1, reference.operations))
    return Moment(seconds=draw.uniform(0, reference.seconds))


def _run(words: tuple[str, ...], folder: Path, moment: Moment | None) -> Ended:
    action = functools.partial(seqdis, words)
    if moment is not None and moment.operation is not None:
        child = start(
            killed_at_operation(moment.operation, action), folder.parent / "output.txt", folder=folder
        )
    else:
        child = start(action, folder.parent / "output.txt", folder=folder)
    if moment is not None and moment.seconds is not None and not child.wait_until(moment.seconds):
        child.kill()
        return child.end()
    return child.wait(PATIENCE)
