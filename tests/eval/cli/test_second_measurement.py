"""A measurement or a report that would be written into a run while another process writes there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seqdis.core.cli.app import app


@pytest.mark.parametrize("name", ["swap", "classification", "report"])
def test_it_is_refused_before_anything_is_computed(
    name: str, tmp_path: Path, held_elsewhere: Callable[[Path], int]
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(json.dumps({"preset": "p", "method": "m", "modality": "toy"}))
    child = held_elsewhere(run)
    result = CliRunner().invoke(app, ["eval", name, str(run)])
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"error: {run}: is being written to by process {child} on ")
    assert len(result.stderr.splitlines()) == 1
    # Elsewhere it may be written: here it ends at the run, which is none.
    suffix = ".html" if name == "report" else ".json"
    result = CliRunner().invoke(app, ["eval", name, str(run), "--out", str(tmp_path / f"x{suffix}")])
    assert result.exit_code == 2, result.output
    assert "is being written to" not in result.stderr
