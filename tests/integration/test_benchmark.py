"""``seqdis benchmark`` and ``seqdis eval swap`` on generated series, with a judge that learns for a moment."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.results import ResultRecord
from seqdis.eval.judge import judge_cache
from seqdis.eval.judge.judge_training import JudgeBudget
from seqdis.eval.protocols import scoring


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = partial(judge_cache.judge_for, budget=JudgeBudget(steps=20, check_every=20))
    monkeypatch.setattr(scoring, "judge_for", hasty)
    monkeypatch.setattr(judge_cache, "judge_for", hasty)


def test_a_comparison_trains_measures_and_goes_on(
    tmp_path: Path, held_elsewhere: Callable[[Path], int]
) -> None:
    words = ["benchmark", "waves", "--budget", "6", "--pairs", "6", "--runs", tmp_path / "runs"]
    other = held_elsewhere(tmp_path / "runs")
    refused = seqdis(*words)
    assert refused.exit_code == 2, refused.output
    assert f"is being written to by process {other} on" in refused.stderr
    os.kill(other, signal.SIGKILL)
    result = seqdis(*words, "--json")
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(tmp_path / "runs" / "benchmark.json")
    methods = record.method.split(", ")
    assert "diffsda" in methods
    for method in methods:
        assert record.metrics[f"train_steps@{method}"].value == 6
        assert 0 <= record.metrics[f"swap_joint_accuracy@{method}"].value <= 1
        assert record.metrics[f"leakage@{method}"].chance > 0
    assert (tmp_path / "runs" / "benchmark.png").stat().st_size > 10_000
    assert json.loads(result.stdout) == record.model_dump(mode="json")

    # The same words again train nothing and find the same; then the run as one that is measured by itself.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("model.safetensors")}
    again = seqdis(*words)
    assert again.exit_code == 0, again.output
    assert {path: path.stat().st_mtime_ns for path in before} == before
    second = ResultRecord.load(tmp_path / "runs" / "benchmark.json")
    assert second.metrics["swap_joint_accuracy@diffsda"] == record.metrics["swap_joint_accuracy@diffsda"]

    alone = tmp_path / "alone.json"
    result = seqdis("eval", "swap", tmp_path / "runs" / "diffsda-waves", "--pairs", "6", "--out", alone)
    assert result.exit_code == 0, result.output
    measured = ResultRecord.load(alone)
    assert measured.command.startswith("seqdis benchmark waves")
    assert "seqdis eval swap" in measured.command
    assert (
        measured.metrics["swap_joint_accuracy"].value == record.metrics["swap_joint_accuracy@diffsda"].value
    )
    assert alone.with_suffix(".html").is_file()
    assert (tmp_path / "runs" / "diffsda-waves" / "eval" / "swap" / "pairs.json").is_file()


def test_an_ablation_is_a_comparison_of_a_preset_with_itself(tmp_path: Path) -> None:
    words = ["benchmark", "waves", "--budget", "3", "--pairs", "4", "--presets", "dsvae-waves"]
    swept = [*words, "--sweep", "train.lr=0.001,0.01", "--runs", tmp_path / "runs"]
    result = seqdis(*swept)
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(tmp_path / "runs" / "benchmark.json")
    assert record.method == "dsvae"
    cases = ["dsvae-waves, lr=0.001", "dsvae-waves, lr=0.01"]
    assert [training.case for training in record.trainings] == cases
    assert all(f"swap_joint_accuracy@{case}" in record.metrics for case in cases)
    assert {path.parent.name for path in (tmp_path / "runs").glob("*/run.json")} == {
        "dsvae-waves+lr=0.001",
        "dsvae-waves+lr=0.01",
    }
    assert "--sweep train.lr=0.001,0.01" in record.command
