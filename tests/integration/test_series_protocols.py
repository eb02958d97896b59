"""``seqdis eval prediction`` and ``classification`` by their commands, with models that nobody has trained."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.config import apply_overrides
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import ResultRecord
from seqdis.timeseries import write_series
from seqdis.timeseries.datasets.ett import LOADS

SMALL = (
    "hidden_dim=8",
    "model.encoder.channels=8",
    "model.denoiser.channels=8",
    "static_dim=3",
    "dynamic_dim=2",
)


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def make_run(folder: Path, preset: str, *changes: str) -> Path:
    torch.manual_seed(0)
    build_model(apply_overrides(get_preset(preset), [*SMALL, *changes])).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of ETTh1's form whose oil temperature is twice one of the loads."""
    hours = 17_420
    days = np.random.default_rng(0).normal(size=hours // 24 + 1).repeat(24)[:hours]
    dates = pd.date_range("2016-07-01", periods=hours, freq="h").strftime("%Y-%m-%d %H:%M:%S")
    columns = {name: days * (c + 1) for c, name in enumerate(LOADS)}
    root = tmp_path_factory.mktemp("ett")
    pd.DataFrame({"date": dates, **columns, "OT": 2 * days}).to_csv(root / "ETTh1.csv", index=False)
    return root


def test_a_quantity_of_the_dataset(table: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "diffsda-etth1", "data.length=48", "stride=240")
    result = seqdis("eval", "prediction", run, "--data", table, "--seeds", 1, "--device", "cpu", "--json")
    assert result.exit_code == 0, result.stderr
    place = run / "eval" / "prediction" / "metrics.json"
    record = ResultRecord.load(place)
    assert json.loads(result.stdout) == record.model_dump(mode="json")
    assert list(record.metrics) == ["mae", "mae_ridge", "mae_random_forest", "mae_ridge_on_factors"]
    assert record.metrics["mae_ridge"].value < 0.01
    assert (record.protocol, record.mode, record.metrics["mae"].n) == ("prediction", "corrected", 12)
    page = (place.parent / "report.html").read_text()
    assert "9.89 ± 0.280" in page  # the published figure beside
    lines = re.findall(r"fill: none; stroke: var\(--(?!line)", page)
    assert len(lines) == 3 * 5  # three sequences: what was measured, the head, three plain models
    assert "ridge on raw" in page


def test_a_run_is_not_measured_on_what_it_learnt(table: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "diffsda-etth1", "data.length=48", "stride=24")
    words = ("eval", "prediction", run, "--data", table, "--seeds", 1, "--device", "cpu")
    result = seqdis(*words, "--mode", "published")
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {run}: was trained on 6 of the 6 test sequences (ETTh1@2016-07-01T00, …); allowed: a run of the "
        "split that --mode asks for\n",
    )
    run = make_run(tmp_path / "other", "diffsda-etth1", "data.length=48", "options.protocol=published")
    assert seqdis(*words[:2], run, *words[3:], "--mode", "published").exit_code == 0
    record = ResultRecord.load(run / "eval" / "prediction-published" / "metrics.json")
    assert (record.mode, record.metrics["mae"].n) == ("published", 6)


def test_what_the_data_do_not_offer_is_refused_with_one_line(table: Path, tmp_path: Path) -> None:
    waves = make_run(tmp_path / "waves", "diffsda-waves")
    for words, message in (
        (
            (),
            "--target: the data offer 0 targets of their own; allowed: none, for they have no label of two classes",
        ),
        (("--target", "course"), "unknown target of these data 'course'"),
    ):
        result = seqdis("eval", "prediction", waves, "--device", "cpu", *words)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {message}")
        assert result.stderr.count("\n") == 1
    ett = make_run(tmp_path / "ett", "diffsda-etth1", "data.length=48", "stride=240")
    result = seqdis("eval", "prediction", ett, "--data", table, "--device", "cpu", "--window", 12)
    assert (result.exit_code, result.stderr) == (
        2, "error: --window 12: 'oil_temperature' has one number each 24 steps\n"
    )  # fmt: skip


def values(printed: str) -> dict[str, float]:
    return {metric["name"]: metric["value"] for metric in json.loads(printed)["metrics"]}


def test_labels_of_a_folder_of_ones_own(tmp_path: Path) -> None:
    clips = {}
    for split, count in (("train", 40), ("val", 12), ("test", 20)):
        for i in range(count):
            steps = torch.linspace(0, 1, 12)[:, None] * (1 if i % 2 else -1) + 0.01 * torch.randn(12, 1)
            (tmp_path / "data" / split).mkdir(parents=True, exist_ok=True)
            write_series(tmp_path / "data" / split / f"{i}.csv", steps, columns=("a",))
            clips[f"{split}/{i}.csv"] = {"way": "up" if i % 2 else "down"}
    labels = {"labels": {"way": "static"}, "clips": clips}
    (tmp_path / "data" / "labels.json").write_text(json.dumps(labels))
    run = make_run(tmp_path / "run", "diffsda-series", "data.length=12", "frame_shape=[1]", "columns=a")
    shared = ("--data", tmp_path / "data", "--seeds", 1, "--device", "cpu")
    result = seqdis("eval", "classification", run, *shared, "--label", "way", "--json")
    assert result.exit_code == 0, result.stderr
    assert values(result.stdout)["way_accuracy_random_forest"] == 1
    result = seqdis("eval", "prediction", run, *shared, "--target", "way", "--window", 4, "--json")
    assert result.exit_code == 0, result.stderr
    assert values(result.stdout)["auroc_logistic_regression"] == 1
