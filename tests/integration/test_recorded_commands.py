"""The command lines behind ``results/*.json`` are still ones that this tree accepts."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from seqdis.core.cli.app import app
from seqdis.core.overrides import apply_overrides
from seqdis.core.registry import get_preset

pytestmark = pytest.mark.full

RESULTS = Path(__file__).parents[2] / "results"


def recorded() -> list[str]:
    """Each ``seqdis`` command of all records, once."""
    commands = set()
    for path in RESULTS.glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        for part in str(record.get("command", "")).split(" && "):
            if part.startswith("seqdis "):
                commands.add(part)
    return sorted(commands)


def test_there_are_commands() -> None:
    assert len(recorded()) > 20


@pytest.mark.parametrize("line", recorded())
def test_a_recorded_command_is_accepted(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command: Any = typer.main.get_command(app)
    context, words = command.context_class(command, info_name="seqdis"), shlex.split(line)[1:]
    while hasattr(command, "resolve_command"):
        name, command, words = command.resolve_command(context, words)
        context = command.context_class(command, info_name=name, parent=context)
    command.parse_args(context, words)
    if line.startswith("seqdis train "):
        apply_overrides(get_preset(context.params["preset"]), context.params["overrides"] or [])
