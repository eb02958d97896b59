"""Results of the first schema become those of the present one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqdis.core.errors import InputError
from seqdis.core.results import ResultRecord
from seqdis.eval.report.convert_results import convert, main


def old(metrics: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values = {
        "schema": "seqdis.result.1", "name": "x", "method": "m", "dataset": "d", "modality": "v",
        "command": "seqdis train x revive=20 && seqdis eval swap runs/x --mode corrected --out results/x.json",
        "seed": 0, "protocol": "swap", "mode": "corrected", "device": "cpu", "wall_seconds": 1.0, "versions": {},
        "metrics": metrics,
    }  # fmt: skip
    return values | changes


def figure(value: float = 0.5, **changes: Any) -> dict[str, Any]:
    return {"value": value, "chance": 0.1, "ci95": [0.4, 0.6], "n": 10, "higher_is_better": True} | changes


def test_a_file_is_rewritten_in_place(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(old({"swap_joint_accuracy": figure()})))
    with pytest.raises(InputError, match="earlier version"):
        ResultRecord.load(path)
    assert main([str(path)]) == 0
    record = ResultRecord.load(path)
    assert record.noise == "dynamic"
    assert record.command == (
        "seqdis train x reset_dead_codes=20 && "
        "seqdis eval swap runs/x --mode corrected --pairs 10 --out results/x.json"
    )
    metric = record.metrics["swap_joint_accuracy"]
    assert (metric.value, metric.chance, metric.ci95, metric.n) == (0.5, 0.1, (0.4, 0.6), 10)
    before = path.read_text()
    assert main([str(path)]) == 0  # once is enough
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("key", "name", "case", "role", "unit"),
    [
        ("judge_accuracy", "judge_accuracy", "", "judge", "share"),
        ("probe_a_from_static@bcd", "probe_a_from_static", "bcd", "probe", "share"),
        ("reconstruction_mse@edm 63", "reconstruction_mse", "edm 63", "reconstruction", "natural²"),
        ("entropy_bits@a@b", "entropy_bits", "a@b", "codes", "bits/frame"),
        ("p835_overall@noise", "p835_overall", "noise", "speech", "score"),
        ("frechet_dependent_seed2", "frechet_dependent", "seed 2", "generation", "distance²"),
        ("token_error_from_static", "token_error_from_static", "", "content", "share"),
        ("mae_ridge", "mae_ridge", "", "swap", "°C"),
    ],
)
def test_unit_role_and_case_come_from_the_old_name(
    key: str, name: str, case: str, role: str, unit: str
) -> None:
    (metric,) = convert(old({key: figure(higher_is_better=False)}))["metrics"]
    found = (metric["name"], metric["case"], metric["role"], metric["unit"], metric["direction"])
    assert found == (name, case, role, unit, "lower")


def test_another_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text("{")
    assert main([str(tmp_path / "x.json")]) == 2
    assert "x.json" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"schema None; this reads seqdis\.result\.1"):
        convert({})
