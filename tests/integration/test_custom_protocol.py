"""The protocol of examples/custom_protocol, installed as a distribution of its own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import ResultRecord

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_protocol"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an installer leaves: the module, and the entry points of its distribution."""
    site = tmp_path / "site"
    about = site / "jitter-0.1.0.dist-info"
    about.mkdir(parents=True)
    shutil.copy(EXAMPLE / "jitter.py", site)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: jitter\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text("[seqdis.protocols]\njitter = jitter:Jitter\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "jitter", raising=False)


@pytest.mark.usefixtures("installed")
def test_one_file_and_an_entry_point_are_a_protocol(tmp_path: Path) -> None:
    torch.manual_seed(0)
    run = tmp_path / "run"
    build_model(get_preset("diffsda-waves")).save_pretrained(run)
    runner = CliRunner()
    assert "jitter" in runner.invoke(app, ["eval", "--help"]).stdout
    assert "--clips" in runner.invoke(app, ["eval", "jitter", "--help"], env={"COLUMNS": "200"}).stdout
    words = ["eval", "jitter", str(run), "--clips", "4", "--seeds", "2", "--device", "cpu", "--json"]
    result = runner.invoke(app, words)
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(run / "eval" / "jitter" / "metrics.json")
    assert json.loads(result.stdout) == record.model_dump(mode="json")
    (metric,) = record.metrics.values()
    assert (metric.name, metric.role, metric.n, metric.seeds) == ("jitter", "reconstruction", 4, 2)
    assert (run / "eval" / "jitter" / "report.html").is_file()
    refused = runner.invoke(app, ["eval", "jitter", str(run), "--clips", "1"])
    assert refused.exit_code == 2


def test_the_example_declares_what_the_test_installs() -> None:
    text = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points."seqdis.protocols"]\njitter = "jitter:Jitter"' in text
