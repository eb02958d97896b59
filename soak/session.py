"""One run of the soak: the workers, and what they tell added up."""

from __future__ import annotations

import json
import os
import select
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from soak.children import Child, start
from soak.full_disks import why_no_small_disk
from soak.readers import Reader, all_readers
from soak.reference import PATIENCE
from soak.scenarios import SCENARIOS
from soak.tally import Failure, Record, Tally
from soak.worker import Share, Worker

__all__ = ["Session"]

_GRACE = PATIENCE + 60
"""Seconds that the last task of a worker may take after the time is over."""


@dataclass(frozen=True)
class _Running:
    """A worker and the end of the pipe that it tells its records into."""

    child: Child
    told: int


@dataclass(frozen=True)
class Session:
    """One run.

    Attributes:
        out: File of the counts of all runs.
        kept: Folder for damaged files that failed.
        seed: Seed of all that is drawn.
        parts: Parts of the soak to run.
        place: Folder to work in.
    """

    out: Path
    kept: Path
    seed: int
    parts: Sequence[str]
    place: Path

    def run(self, minutes: float, *, jobs: int, fresh: bool) -> int:
        """Run for so many minutes; 0 where nothing failed, else 1."""
        began = time.monotonic()
        tally = Tally() if fresh else Tally.load(self.out)
        skipped = {}
        reason = why_no_small_disk(self.place / "disk") if "full disks" in self.parts else None
        if reason is not None:
            skipped["full disks"] = reason
            print(f"full disks: skipped, for {reason}", flush=True)
        parts = [part for part in self.parts if part not in skipped]
        readers = all_readers(self.place / "readers") if {"inputs", "hostile models"} & set(parts) else []
        foreign = [reader.name for reader in readers if not reader.native]
        about: dict[str, Any] = {
            "seed": self.seed, "minutes": minutes, "version": version("seqdis-core"), "parts": parts, "skipped": skipped,
            "readers without a whole file of their own": foreign,
        }  # fmt: skip
        tally.runs.append(about)
        print(
            f"{len(readers)} readers, {len(SCENARIOS)} scenarios; after {time.monotonic() - began:.0f} s",
            flush=True,
        )
        failed = self._watch(
            self._start(jobs, parts, readers, tally, began + 60 * minutes), tally, began + 60 * minutes
        )
        tally.save(self.out)
        print(json.dumps(tally.totals(), indent=1))
        return 1 if failed else 0

    def _start(
        self, jobs: int, parts: Sequence[str], readers: Sequence[Reader], tally: Tally, until: float
    ) -> list[_Running]:
        """Fork the workers; each has every so manieth scenario and reader to itself."""
        workers = []
        jobs = min(jobs, len(SCENARIOS))
        for number in range(jobs):
            receive, send = os.pipe()
            share = Share(
                seed=self.seed,
                parts=[part for part in parts if part != "inputs" or readers[number::jobs]],
                scenarios=SCENARIOS[number::jobs],
                readers=readers[number::jobs],
                state=self.place / "readers" / "state",
                place=self.place / f"worker-{number}",
            )

            def work(share: Share = share, receive: int = receive, send: int = send) -> int:
                os.close(receive)
                share.place.mkdir(parents=True)
                with os.fdopen(send, "w", encoding="utf-8") as told:
                    Worker(share, tally, told).work(until)
                return 0

            child = start(work, self.place / f"worker-{number}.txt")
            os.close(send)
            workers.append(_Running(child, receive))
        return workers

    def _watch(self, workers: Sequence[_Running], tally: Tally, until: float) -> bool:
        """Add up what the workers tell until all have ended; True where something failed."""
        rests = {worker.told: b"" for worker in workers}
        failed = False
        while rests and time.monotonic() < until + _GRACE:
            for told in select.select(list(rests), [], [], 5)[0]:
                piece = os.read(told, 1 << 20)
                if not piece:
                    del rests[told]
                    continue
                *lines, rests[told] = (rests[told] + piece).split(b"\n")
                for line in lines:
                    failed |= self._add(tally, line)
        for worker in workers:
            ended = worker.child.wait(0 if worker.told in rests else 10)
            if ended.code != 0:
                failed = True
                print(f"a worker ended with exit code {ended.code}:\n{ended.output[-4000:]}", file=sys.stderr)
        return failed

    def _add(self, tally: Tally, line: bytes) -> bool:
        values = json.loads(line)
        failures = [Failure(**one) for one in values.pop("failures")]
        new = tally.add(Record(**values, failures=failures))
        for failure in new:
            print(
                f"FAILED {failure.part}, {failure.name}, seed {failure.seed}: {failure.message}", flush=True
            )
            for source in self.place.glob(f"worker-*/kept/{failure.identity}"):
                shutil.copytree(source, self.kept / failure.identity, dirs_exist_ok=True)
        tally.save(self.out)
        return bool(failures)
