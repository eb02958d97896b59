"""One failure, run again by its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from soak.attack import read_once
from soak.children import start
from soak.full_disks import fill_disk
from soak.hostile import HOSTILE, load_hostile
from soak.kills import Chain, kill_until_done
from soak.readers import all_readers
from soak.reference import undisturbed
from soak.scenarios import SCENARIOS
from soak.second_writers import write_twice
from soak.tally import Failure, Tally

__all__ = ["run_again"]


def run_again(identity: str, results: Path, kept: Path, place: Path) -> bool:
    """Run a failure again and print what became of it; True if all is well now.

    Args:
        identity: Name of the failure, as the results' ``again`` says it.
        results: File of counts, which lists the failures.
        kept: Folder of the damaged files that failed.
        place: Folder to work in.

    Raises:
        ValueError: The results list no such failure.
    """
    described = [
        {name: one[name] for name in ("part", "name", "seed", "message", "detail")}
        for one in Tally.load(results).failures
    ]
    found = [failure for failure in (Failure(**one) for one in described) if failure.identity == identity]
    if not found:
        raise ValueError(f"{results}: lists no failure {identity!r}")
    failure = found[0]
    print(f"{failure.part}, {failure.name}, seed {failure.seed}: {failure.message}\n{failure.detail}")
    if failure.part == "inputs":
        return _read(failure, kept / identity, place)
    chain = _disturb(failure, place)
    print("now:", "; ".join(chain.problems) or "all is well", f"({'; '.join(chain.moments)})")
    return not chain.problems


def _read(failure: Failure, kept: Path, place: Path) -> bool:
    """Read the file that was kept once more, in a process of its own."""
    reader = next(one for one in all_readers(place) if one.name == failure.name)
    folder = place / "input"
    if reader.folder is not None:
        shutil.copytree(reader.folder, folder)
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(next(kept.iterdir()), path)
    answer = place / "answer.json"

    def read() -> int:
        reading = read_once(reader.read, path, failure.seed)
        answer.write_text(json.dumps([reading.outcome, reading.message, reading.detail]), encoding="utf-8")
        return 0

    ended = start(read, place / "output.txt", folder=place).wait(60)
    outcome, message, detail = (
        json.loads(answer.read_text(encoding="utf-8"))
        if answer.is_file()
        else ("failed", ended.error, ended.output)
    )
    print(f"now: {outcome}: {message}\n{detail}")
    return bool(outcome != "failed")


def _disturb(failure: Failure, place: Path) -> Chain:
    """Disturb the same scenario by the same draws; kills after a time may come a little earlier or later."""
    if failure.part == "hostile models":
        all_readers(place / "readers")
        hostile = next(one for one in HOSTILE if one.name == failure.name)
        state = place / "readers" / "state"
        return load_hostile(hostile, failure.seed, state / "toy", state / "data", place / "hostile")
    scenario = next(one for one in SCENARIOS if one.name == failure.name)
    disturb = {"kills": kill_until_done, "full disks": fill_disk, "second writers": write_twice}[failure.part]
    return disturb(undisturbed(scenario, place / "scenario"), failure.seed, place / "scenario")
