"""Notes of a run: lines of ``log.jsonl`` that say what it started from, and what was changed on the way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqdis.core.errors import InputError
from seqdis.core.log_lines import NOTES, read_log_lines
from seqdis.core.run_record import read_run_record
from seqdis.core.training.differing_settings import Change
from seqdis.core.training.initial_weights import InitialWeights

__all__ = ["command_and_notes", "notes_of_start", "read_notes"]


def notes_of_start(initial: InitialWeights | None, changes: Mapping[str, Change]) -> dict[str, Any]:
    """The notes that a start of a training adds to its log; none for one that is as it was.

    Args:
        initial: Weights that a new run begins with, if any.
        changes: Settings that a run goes on with and did not have before.
    """
    notes: dict[str, Any] = {}
    if initial is not None:
        notes["started_from"] = initial.source
    if changes:
        notes["changed"] = {key: [change.before, change.now] for key, change in changes.items()}
    return notes


def read_notes(log: Path) -> list[dict[str, Any]]:
    """All notes of a ``log.jsonl``, each with the number of steps done before it, in order."""
    return [dict(line.record) for line in read_log_lines(log) if any(kind in line.record for kind in NOTES)]


def command_and_notes(run: Path, command: str) -> dict[str, Any]:
    """The commands that made a run, and its notes, for ``run.json``.

    A run that went on with other settings is the work of several commands: what ``run.json`` has kept of them comes
    first, and the last one ends in ``--resume``.

    Args:
        run: Folder of the run, with its log.
        command: The command that ended it.
    """
    notes = read_notes(run / "log.jsonl")
    if not any("changed" in note for note in notes):
        return {"command": command, "notes": notes} if notes else {"command": command}
    if command and "--resume" not in command.split():
        command = f"{command} --resume"
    try:
        record = read_run_record(run)
    except InputError:
        record = None
    before = "" if record is None else record.command
    parts = [part for part in before.split(" && ") if part and part != command]
    return {"command": " && ".join([*parts, *([command] if command else [])]), "notes": notes}
