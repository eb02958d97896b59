"""One process that does its share of the soak until the time is over."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from soak.attack import Reading, attack, damaged
from soak.full_disks import fill_disk
from soak.hostile import HOSTILE, load_hostile
from soak.kills import Chain, kill_until_done
from soak.readers import Reader
from soak.reference import Reference, undisturbed
from soak.scenarios import Scenario
from soak.second_writers import write_twice
from soak.tally import Failure, Record, Tally

__all__ = ["SHARES", "Share", "Worker"]

SHARES: Mapping[str, float] = {
    "kills": 0.5,
    "inputs": 0.35,
    "full disks": 0.05,
    "second writers": 0.05,
    "hostile models": 0.05,
}
"""The share of the time that each part gets."""
_BATCH = 40
_MOST_SEEDS = 10**6


@dataclass(frozen=True)
class Share:
    """What a worker has to do with.

    Attributes:
        seed: Seed of the run.
        parts: The parts of the soak that are asked for and possible here.
        scenarios: Its scenarios.
        readers: Its readers.
        state: Folder of the whole files of models and runs.
        place: Folder to work in.
    """

    seed: int
    parts: Sequence[str]
    scenarios: Sequence[Scenario]
    readers: Sequence[Reader]
    state: Path
    place: Path


class Worker:
    """Does one task after another, of the part that has had the least of its share of the time.

    Args:
        share: What it has to do with.
        so_far: The counts of earlier runs: what was tried least comes first, and no seed comes twice.
        told: File to which each record is written as a line of JSON.
    """

    def __init__(self, share: Share, so_far: Tally, told: TextIO) -> None:
        self._share, self._tally, self._told = share, so_far, told
        self._references: dict[str, Reference] = {}
        self._rounds: dict[tuple[str, str], int] = {}
        self._spent = dict.fromkeys(share.parts, 0.0)

    def work(self, until: float) -> None:
        """Do tasks until a time on the monotonic clock."""
        tasks: dict[str, Callable[[], Record]] = {
            "kills": functools.partial(self._state_task, "kills", kill_until_done, "kills"),
            "full disks": functools.partial(self._state_task, "full disks", fill_disk, "full"),
            "second writers": functools.partial(self._state_task, "second writers", write_twice, "at a time"),
            "inputs": self._input_task,
            "hostile models": self._hostile_task,
        }
        while time.monotonic() < until:
            part = min(self._spent, key=lambda part: self._spent[part] / SHARES[part])
            began = time.monotonic()
            record = tasks[part]()
            self._tally.add(record)
            self._spent[part] += time.monotonic() - began
            self._told.write(json.dumps(asdict(record)) + "\n")
            self._told.flush()

    def _next_seed(self, part: str, name: str, done: int) -> int:
        """A seed that no earlier task of this name had, in this run or one before."""
        number = self._rounds.setdefault((part, name), done)
        self._rounds[part, name] += 1
        return self._share.seed * _MOST_SEEDS + number

    def _state_task(
        self, part: str, disturb: Callable[[Reference, int, Path], Chain], counted: str
    ) -> Record:
        """Disturb the scenario that was disturbed least, those of one command alike."""
        scenario = min(
            self._share.scenarios,
            key=lambda one: (
                self._tally.count(part, one.command, counted if part == "kills" else "runs"),
                self._rounds.get((part, one.name), 0),
            ),
        )
        place = self._share.place / scenario.name.replace("/", "-").replace(" ", "-")
        if scenario.name not in self._references:
            self._references[scenario.name] = undisturbed(scenario, place)
        seed = self._next_seed(part, scenario.name, self._tally.count(part, scenario.command, "runs"))
        chain = disturb(self._references[scenario.name], seed, place)
        counts = {"runs": 1, counted: chain.kills}
        return _record(part, scenario.command, scenario.name, seed, counts, chain)

    def _hostile_task(self) -> Record:
        part = "hostile models"
        hostile = min(HOSTILE, key=lambda one: self._tally.count(part, one.name, "loaded"))
        seed = self._next_seed(part, hostile.name, self._tally.count(part, hostile.name, "loaded"))
        state, place = self._share.state, self._share.place / "hostile"
        chain = load_hostile(hostile, seed, state / "toy", state / "data", place)
        return _record(part, hostile.name, hostile.name, seed, {"loaded": 1, "refused": chain.kills}, chain)

    def _input_task(self) -> Record:
        part = "inputs"
        reader = min(self._share.readers, key=lambda one: self._tally.count(part, one.name, "inputs"))
        first = self._share.seed * _MOST_SEEDS + self._tally.count(part, reader.name, "inputs")
        place = self._share.place / "inputs"
        readings = attack(reader, first, _BATCH, place)
        failed = [reading for reading in readings if reading.outcome == "failed"]
        for reading in failed:
            _keep(reader, reading, self._share.place / "kept")
        return Record(
            part=part,
            name=reader.name,
            counts={
                "inputs": len(readings),
                "read": sum(reading.outcome == "read" for reading in readings),
                "refused": sum(reading.outcome == "refused" for reading in readings),
            },
            seconds=max(reading.seconds for reading in readings),
            peak=max(reading.peak for reading in readings),
            failures=[
                Failure(part, reader.name, reading.seed, reading.message, reading.detail)
                for reading in failed
            ],
        )


def _keep(reader: Reader, reading: Reading, place: Path) -> None:
    """Keep a file that failed, under the name by which its failure is run again."""
    folder = place / Failure("inputs", reader.name, reading.seed, "").identity
    folder.mkdir(parents=True, exist_ok=True)
    (folder / Path(reader.file).name).write_bytes(damaged(reader, reading.seed))


def _record(
    part: str, counted_as: str, name: str, seed: int, counts: Mapping[str, int], chain: Chain
) -> Record:
    detail = "; ".join(chain.moments)
    message = "; ".join(chain.problems)
    failures = [Failure(part, name, seed, message, detail)] if message else []
    return Record(part, counted_as, counts, chain.seconds, chain.peak, failures)
