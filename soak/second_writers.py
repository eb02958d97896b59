"""The same command given twice at a time in one folder."""

from __future__ import annotations

import functools
import random
from pathlib import Path

from soak.children import start
from soak.commands import seqdis
from soak.kills import Chain
from soak.outcome import broken_files, differences, outcome
from soak.reference import PATIENCE, Reference, run

__all__ = ["write_twice"]


def write_twice(reference: Reference, seed: int, place: Path) -> Chain:
    """Start a command, and at a random moment a second time in the same folder; then give it once more and compare.

    One of the two comes to its end; the other does, too, or is refused in one line. Afterwards every file is what a
    single run leaves.
    """
    draw, chain = random.Random(seed), Chain()
    folder = reference.copy(place / "work")
    action = functools.partial(seqdis, reference.scenario.words)
    wait = draw.uniform(0, reference.seconds)
    chain.moments.append(f"a second writer after {wait:.3f} s")
    first = start(action, place / "output.txt", folder=folder)
    over = first.wait_until(wait)
    second = start(action, place / "second.txt", folder=folder)
    ends = [first.wait(PATIENCE), second.wait(PATIENCE)]
    chain.kills += not over
    for ended in ends:
        chain.note(ended)
        if ended.timed_out:
            chain.problems.append(f"hangs: no end after {PATIENCE:.0f} s")
        elif ended.traceback or ended.code not in (0, 2):
            chain.problems.append(f"exit code {ended.code}: {ended.error}")
    if all(ended.code != 0 for ended in ends):
        chain.problems.append(f"neither came to its end: {ends[0].error}; {ends[1].error}")
    chain.problems += [f"{name} is half-written" for name in broken_files(folder)]
    third = run(reference.scenario.words, folder)
    chain.note(third)
    if third.code != 0:
        chain.problems.append(f"does not go on: exit code {third.code}: {third.error}")
    else:
        chain.problems += differences(reference.expected, outcome(folder))
    return chain
