"""Every command that takes ``--data`` beside a run works without it: the run remembers what it was trained on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from seqdis.core.analysis import prior_components
from seqdis.core.cli.app import app
from seqdis.core.registry import get_modality
from seqdis.eval.judge import judge_cache
from seqdis.eval.judge.judge_training import JudgeBudget

SMALL = ("frame_shape=[2]", "length=8", "encoder.channels=8", "denoiser.channels=8", "hidden_dim=8", "static_dim=4",
         "model.sampler.steps=2", "train.steps=3", "batch_size=4")  # fmt: skip
CPU = ("--device", "cpu")


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty = partial(judge_cache.judge_for, budget=JudgeBudget(steps=3, check_every=3))
    monkeypatch.setattr(judge_cache, "judge_for", hasty)
    monkeypatch.setattr(prior_components, "DRAWS", 64)


def seqdis(*words: object) -> Result:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result


def write_series(folder: Path) -> Path:
    """Recordings of a person each, standing or walking, in three splits."""
    clips = {}
    for split, count in {"train": 20, "val": 2, "test": 8}.items():
        (folder / split).mkdir(parents=True)
        for i in range(count):
            rng = np.random.default_rng([count, i])
            values = np.array([i % 2, i // 2 % 2]) + rng.normal(size=(24, 2))
            name = f"{split}/{i}.csv"
            rows = "\n".join(f"{a:.3f},{b:.3f}" for a, b in values)
            (folder / name).write_text(f"left,right\n{rows}\n", encoding="utf-8")
            clips[name] = {"person": str(i % 2), "walks": str(i // 2 % 2)}
    labels = {"person": "static", "walks": "dynamic"}
    (folder / "labels.json").write_text(json.dumps({"labels": labels, "clips": clips}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_series(tmp_path_factory.mktemp("files") / "series")


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "x"
    seqdis("train", "diffsda-series", *SMALL, "--data", data, "--out", out, *CPU)
    seqdis("prior", "fit", out, "hidden=8", "layers=2", "epochs=1", "steps=2", "resamples=1", *CPU)
    return out


def test_a_prior_is_fitted_and_labels_are_compared(run: Path, data: Path) -> None:
    about = json.loads((run / "prior" / "prior.json").read_text())
    assert about["about"]["sequences"] == 20 * 3  # windows of 8 in recordings of 24 steps
    assert "--data" not in about["about"]["command"]
    said = seqdis("traverse", run, data / "test" / "0.csv", "--points", 3, *CPU).stdout
    assert "labels: not compared" not in said
    assert json.loads((run / "traverse" / "static.json").read_text())["components"][0]["labels"].keys() == {
        "person",
        "walks",
    }


@pytest.mark.parametrize(
    "words",
    [
        "report --steps 2 --clips 2 --reconstructions 1 --samples 1 --probed 8",
        "swap --pairs 4",
        "reconstruction --clips 4",
        "classification --seeds 1",
        "prediction --seeds 1 --target person",
    ],
    ids=lambda words: words.split()[0],
)
def test_a_run_is_measured_and_shown(words: str, run: Path, tmp_path: Path) -> None:
    name, *options = words.split()
    out = tmp_path / ("x.html" if name == "report" else "x.json")
    seqdis("eval", name, run, "--out", out, *options, *CPU)
    assert (tmp_path / "x.html").is_file()
    if name != "report":
        assert "--data" not in json.loads(out.read_text())["command"].rpartition("&&")[2]


def test_a_checkpoint_of_it_is_shown_too(run: Path, tmp_path: Path) -> None:
    few = ("--steps", "2", "--clips", "2", "--reconstructions", "1", "--samples", "0", "--probed", "0")
    checkpoint = run / "checkpoints" / "step-00000003"
    seqdis("eval", "report", checkpoint, "--out", tmp_path / "x.html", *few, *CPU)
    assert (tmp_path / "x.html").is_file()


def test_data_that_changed_or_went_are_one_line_on_standard_error(tmp_path: Path) -> None:
    """In a process of its own: the warning must reach the terminal as it is."""
    data, out = write_series(tmp_path / "series"), tmp_path / "run"
    seqdis("train", "diffsda-series", *SMALL, "--data", data, "--out", out, *CPU)
    fit = (
        "prior",
        "fit",
        out,
        "hidden=8",
        "layers=2",
        "epochs=1",
        "steps=2",
        "resamples=1",
        "--json",
        "--force",
    )
    command = [sys.executable, "-m", "seqdis.core.cli", *map(str, fit), *CPU]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def call() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=240, check=False, env=environment
        )

    (data / "train" / "20.csv").write_text((data / "train" / "0.csv").read_text())
    labels = json.loads((data / "labels.json").read_text())
    labels["clips"]["train/20.csv"] = {"person": "0", "walks": "1"}
    (data / "labels.json").write_text(json.dumps(labels))
    changed = call()
    assert changed.returncode == 0, changed.stderr
    assert json.loads(changed.stdout)["sequences"] == 21 * 3
    assert changed.stderr == (
        f"{out}: the data in {data} have changed since the training (31 files then, 32 now)\n"
    )
    data.rename(tmp_path / "moved")
    gone = call()
    assert gone.returncode == 2
    assert gone.stdout == ""
    assert gone.stderr == (
        f"error: {out}: was trained on {data}, which is not there any more; name the data by --data FOLDER\n"
    )


def test_a_comparison_remembers_for_itself_and_for_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modality = get_modality("timeseries")
    spec = replace(modality.datasets()["waves"], folder="waves", source="somewhere")
    monkeypatch.setattr(type(modality), "datasets", lambda self: {"waves": spec})
    monkeypatch.delenv("SEQDIS_DATA", raising=False)
    (tmp_path / "files").mkdir()
    runs = tmp_path / "runs"
    words = (
        "benchmark",
        "waves",
        "--methods",
        "diffsda",
        "--budget",
        "2",
        "--pairs",
        "2",
        "--runs",
        runs,
        *CPU,
    )
    assert CliRunner().invoke(app, [*map(str, words)]).exit_code == 2  # nothing says where they are
    seqdis(*words, "--data", tmp_path / "files")
    seqdis(*words)
    seqdis("eval", "swap", runs / "diffsda-waves", "--pairs", "2", "--out", tmp_path / "x.json", *CPU)
    known = [json.loads((folder / "data.json").read_text()) for folder in (runs, runs / "diffsda-waves")]
    assert known[0] == known[1]
    assert known[0]["path"] == str(tmp_path / "files")
