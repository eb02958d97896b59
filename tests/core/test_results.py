from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from seqdis.core.errors import InputError
from seqdis.core.metric import Metric
from seqdis.core.results import (
    BenchmarkRecord,
    BenchmarkRow,
    ResultRecord,
    benchmark_record,
    installed_versions,
    read_schema,
)

VALUES: dict[str, Any] = {
    "schema": "seqdis.result.2", "name": "demo", "method": "diffsda", "dataset": "shapes", "modality": "video",
    "command": "seqdis demo", "seed": 0, "protocol": "swap", "mode": "corrected", "noise": "dynamic", "device": "cpu (2 cores)",
    "wall_seconds": 12.5, "versions": {"torch": "2"},
    "trainings": [
        {
            "run": "runs/a", "method": "diffsda", "preset": "diffsda-sprites", "changes": ["static_dim=8"],
            "sequence_shape": [8, 3, 32, 32], "steps": 100, "batch_size": 16, "seconds": 1.5, "case": "",
        }
    ],
    "headline": ["swap_joint_accuracy"],
    "metrics": [{
        "value": 0.5, "unit": "share", "direction": "higher", "chance": 0.1, "ci95": [0.4, 0.6], "n": 10, "std": 0.1,
        "seeds": 3, "name": "a", "case": "", "role": "swap",
    }],
}  # fmt: skip


def write(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(VALUES | changes))
    return path


def test_the_file_holds_the_documented_keys_in_order(tmp_path: Path) -> None:
    record = ResultRecord.load(write(tmp_path / "in.json"))
    record.save(tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    assert written == VALUES
    assert list(written) == list(VALUES)
    assert list(written["metrics"][0]) == list(VALUES["metrics"][0])
    assert ResultRecord.load(tmp_path / "out.json") == record


def test_absent_parts_of_a_metric_are_null(tmp_path: Path) -> None:
    record = ResultRecord.load(
        write(tmp_path / "in.json", metrics=[{"name": "a", "role": "swap", "value": 1}])
    )
    record.save(tmp_path / "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["metrics"][0] == {
        "value": 1.0, "unit": "", "direction": "higher", "chance": None, "ci95": None, "n": None, "std": None,
        "seeds": None, "name": "a", "case": "", "role": "swap",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "seqdis.result.9"}, "schema 'seqdis.result.9'; this version reads seqdis.result.2"),
        (
            {"schema": "seqdis.result.1"},
            "is of an earlier version; convert it by `python -m seqdis.eval.report.convert",
        ),
        ({"note": 1}, r"unknown key 'note' .*allowed: schema, name, .*metrics"),
        ({"seed": "1"}, "key 'seed' is '1', but: Input should be a valid integer"),
        ({"seed": True}, "key 'seed' is True"),
        ({"wall_seconds": -1}, "key 'wall_seconds' is -1"),
        ({"metrics": [{"name": "a", "role": "swap", "value": "0.5"}]}, r"metrics\.0: key 'value' is '0.5'"),
        (
            {"metrics": [{"name": "a", "role": "swap", "value": float("nan")}]},
            r"metrics\.0: key 'value' is nan",
        ),
        (
            {"metrics": [{"name": "a", "role": "swap", "value": 0.5, "spread": 1}]},
            r"metrics\.0: unknown key 'spread'; allowed: value, unit",
        ),
        (
            {"metrics": [{"name": "a", "role": "swap", "value": 0.5, "ci95": [0.6, 0.4]}]},
            r"metrics\.0.*ci95 must be \(lower, upper\)",
        ),
        ({"metrics": [{"name": "a", "role": "swap", "value": 0.5, "n": 0}]}, r"metrics\.0: key 'n' is 0"),
        ({"metrics": [{"name": "a", "role": "swap"}]}, r"metrics\.0: key 'value' is missing"),
    ],
)
def test_a_file_that_is_not_of_the_schema_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        ResultRecord.load(write(tmp_path / "bad.json", **changes))
    assert str(caught.value).startswith(str(tmp_path / "bad.json"))
    assert "\n" not in str(caught.value)


def test_what_is_not_json_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text('{"schema": ')
    for name in ("half.json", "absent.json"):
        with pytest.raises(InputError, match=f"{name}: cannot be read as JSON"):
            ResultRecord.load(tmp_path / name)
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(
        InputError, match=r"schema None; this version reads seqdis\.result\.2 and seqdis\.benchmark\.1"
    ):
        read_schema(tmp_path / "list.json")


def test_a_metric_without_meaning_cannot_be_made() -> None:
    for values in ({"value": float("inf")}, {"value": 1.0, "ci95": (2.0, 1.0)}, {"value": 1.0, "n": 0}):
        with pytest.raises(ValidationError):
            Metric.model_validate(values)


def test_a_benchmark_names_its_unit_in_the_keys(tmp_path: Path) -> None:
    rows = [
        BenchmarkRow(case="a", unit="ms", ours=5.0, peer=20.0),
        BenchmarkRow(case="a", unit="frames_per_s", ours=3.0),
    ]
    record = benchmark_record(rows, device="cpu", versions={"torch": "2"})
    record.save(tmp_path / "b.json")
    assert json.loads((tmp_path / "b.json").read_text()) == {
        "schema": "seqdis.benchmark.1",
        "device": "cpu",
        "versions": {"torch": "2"},
        "rows": [
            {"case": "a", "ours_ms": 5.0, "peer_ms": 20.0, "ratio": 0.25},
            {"case": "a", "ours_frames_per_s": 3.0, "peer_frames_per_s": None, "ratio": None},
        ],
    }
    assert BenchmarkRecord.load(tmp_path / "b.json") == record
    assert read_schema(tmp_path / "b.json") == "seqdis.benchmark.1"


@pytest.mark.parametrize(
    "row",
    [{"case": "a"}, {"case": "a", "ours_ms": 1.0, "peer_s": 1.0, "ratio": 1.0}, {"case": "a", "ours": 1}, 3],
)
def test_a_benchmark_row_without_a_unit_is_refused(tmp_path: Path, row: Any) -> None:
    text = {"schema": "seqdis.benchmark.1", "device": "cpu", "versions": {}, "rows": [row]}
    (tmp_path / "b.json").write_text(json.dumps(text))
    with pytest.raises(
        InputError, match=r"b\.json: rows\.0: has .*; allowed: case, ours_<unit>, peer_<unit>, ratio"
    ):
        BenchmarkRecord.load(tmp_path / "b.json")


def test_versions_name_what_runs() -> None:
    versions = installed_versions()
    assert versions["python"] == platform.python_version()
    assert torch.__version__.startswith(versions["torch"].partition("+")[0])
    assert {"numpy", "seqdis-core"} <= set(versions)
    assert list(versions) == sorted(versions)
