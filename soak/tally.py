"""The counts of all runs in one JSON file, which every run adds to.

A count of kills says by command how many SIGKILLs hit it, in how many runs, and how many of these runs lost something;
one of inputs says by reader how many damaged files were read, refused in one line, or failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["PARTS", "SCHEMA", "Failure", "Record", "Tally"]

SCHEMA = "seqdis.soak.1"
PARTS = ("kills", "inputs", "full disks", "second writers", "hostile models")
_MOST_FAILURES = 200


@dataclass(frozen=True)
class Failure:
    """Something that must not be, and how to see it again.

    Attributes:
        part: Part of the soak.
        name: Name of the scenario, the reader, or the hostile model.
        seed: Seed of it.
        message: What was wrong, in one line.
        detail: The traceback or the moments of the kills.
    """

    part: str
    name: str
    seed: int
    message: str
    detail: str = ""

    @property
    def identity(self) -> str:
        """A name for a folder, by which the failure is run again."""
        plain = "".join(letter if letter.isalnum() else "-" for letter in f"{self.part} {self.name}".lower())
        return f"{'-'.join(part for part in plain.split('-') if part)}-{self.seed}"


@dataclass(frozen=True)
class Record:
    """What one task found.

    Attributes:
        part: Part of the soak.
        name: Name under which it is counted: a command, a reader, a hostile model.
        counts: Numbers to add, by name.
        seconds: Longest time of one start or one file, in seconds.
        peak: Largest memory, in bytes.
        failures: What was wrong.
    """

    part: str
    name: str
    counts: Mapping[str, int]
    seconds: float
    peak: int
    failures: Sequence[Failure] = ()


@dataclass
class Tally:
    """All counts so far.

    Attributes:
        runs: A line a run: seed, minutes, version, what was skipped and why.
        parts: Counts of each part by name.
        failures: Failures, the first of each name and message.
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {part: {} for part in PARTS})
    failures: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def load(cls, path: Path) -> Tally:
        """Read a file of counts; an empty tally where there is none.

        Raises:
            ValueError: The file is of another schema.
        """
        if not path.is_file():
            return cls()
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.get("schema") != SCHEMA:
            raise ValueError(f"{path}: schema {values.get('schema')!r}; allowed: {SCHEMA}")
        return cls(values["runs"], {part: values.get(part, {}) for part in PARTS}, values["failures"])

    def add(self, record: Record) -> list[Failure]:
        """Add what a task found, and return those of its failures that are of a new kind."""
        row = self.parts[record.part].setdefault(record.name, {})
        for name, count in record.counts.items():
            row[name] = row.get(name, 0) + count
        row["failed"] = row.get("failed", 0) + len(record.failures)
        row["worst_seconds"] = round(max(row.get("worst_seconds", 0.0), record.seconds), 2)
        row["peak_mb"] = max(row.get("peak_mb", 0), record.peak >> 20)
        new = []
        for failure in record.failures:
            kind = (failure.part, failure.name, _kind(failure.message))
            known = {(one["part"], one["name"], _kind(one["message"])) for one in self.failures}
            if kind not in known and len(self.failures) < _MOST_FAILURES:
                new.append(failure)
                described = asdict(failure) | {"again": f"nox -s soak -- --again {failure.identity}"}
                self.failures.append(described)
        return new

    def count(self, part: str, name: str, counted: str) -> int:
        """A count so far; 0 where there is none."""
        return int(self.parts[part].get(name, {}).get(counted, 0))

    def total(self, part: str, counted: str) -> int:
        """The sum of a count over all names of a part."""
        return sum(int(row.get(counted, 0)) for row in self.parts[part].values())

    def totals(self) -> dict[str, Any]:
        """The figures that say whether the goal is reached."""
        inputs = self.parts["inputs"].values()
        return {
            "kills": self.total("kills", "kills"),
            "fewest kills of a command": min(
                (row.get("kills", 0) for row in self.parts["kills"].values()), default=0
            ),
            "inputs": self.total("inputs", "inputs"),
            "readers": len(self.parts["inputs"]),
            "full disks": self.total("full disks", "full"),
            "second writers": self.total("second writers", "at a time"),
            "hostile models": self.total("hostile models", "loaded"),
            "worst seconds of an input": max((row["worst_seconds"] for row in inputs), default=0.0),
            "peak MB of an input": max((row["peak_mb"] for row in inputs), default=0),
            "failed": {part: self.total(part, "failed") for part in PARTS},
        }

    def save(self, path: Path) -> None:
        """Write the file, which appears whole or not at all."""
        values = {"schema": SCHEMA, "totals": self.totals(), "runs": self.runs, **_sorted(self.parts)}
        values["failures"] = self.failures
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}")
        partial.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)


def _sorted(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {part: dict(sorted(rows.items())) for part, rows in parts.items()}


def _kind(message: str) -> str:
    """A message without its numbers and paths, so that one mistake counts as one."""
    words = (
        "#" if any(letter.isdigit() or letter == "/" for letter in word) else word for word in message.split()
    )
    return " ".join(words)[:80]
