"""Factors of a long table as two tables: each step gets its time and its labels back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.config import RunConfig
from seqdis.core.pretrained import build_model

HOURS = pd.date_range("2024-03-01 05:00", periods=13, freq="h")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An untrained model of three channels, told which columns are what."""
    torch.manual_seed(0)
    config = RunConfig.from_preset(
        "diffsda-series",
        **{"data.length": 6, "data.frame_shape": (3,), "hidden_dim": 8, "static_dim": 2, "dynamic_dim": 2},
    )
    options = {"id_column": "patient", "label_columns": ["sex"], "step_label_columns": ["state"]}
    data = config.data.model_copy(update={"options": config.data.options | options})
    build_model(config.model_copy(update={"data": data})).save_pretrained(tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two patients, of 13 and of 4 hours."""
    rng = np.random.default_rng(0)
    parts = []
    for patient, sex, steps in (("p1", "f", 13), ("p2", "m", 4)):
        part = pd.DataFrame(rng.normal(size=(steps, 3)).round(3), columns=["a", "b", "c"])
        part.insert(0, "state", np.where(np.arange(steps) % 4 < 2, "asleep", "awake"))
        part.insert(0, "sex", sex)
        part.insert(0, "time", HOURS[:steps])
        part.insert(0, "patient", patient)
        parts.append(part)
    (tmp_path / "files").mkdir()
    pd.concat(parts).to_csv(tmp_path / "files" / "ward.csv", index=False)
    return tmp_path / "files"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_each_step_has_its_time_and_its_labels(run: Path, table: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"factors{suffix}"
    words = ["encode", str(run), str(table), "--out", str(out), "--device", "cpu"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    static, dynamic = (read(tmp_path / f"factors.{side}{suffix}") for side in ("static", "dynamic"))
    windows = ["ward.csv#p1@0", "ward.csv#p1@6", "ward.csv#p1@12", "ward.csv#p2"]
    assert static["key"].tolist() == windows
    assert static["sex"].tolist() == ["f", "f", "f", "m"]
    assert "state" not in static.columns
    assert dynamic["key"].tolist() == [
        key for key, n in zip(windows, (6, 6, 1, 4), strict=True) for _ in range(n)
    ]
    assert pd.to_datetime(dynamic["stamp"]).tolist() == [*HOURS, *HOURS[:4]]
    source = pd.read_csv(table / "ward.csv")
    assert dynamic["state"].tolist() == source["state"].tolist()
    assert dynamic["sex"].tolist() == source["sex"].tolist()
    assert not dynamic[["dynamic_0", "dynamic_1"]].isna().any(axis=None)
