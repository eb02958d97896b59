"""Results without trainings get them from their commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.eval.named import named

from seqdis.core.metric import Estimate
from seqdis.core.registry import get_preset
from seqdis.core.results import ResultRecord
from seqdis.eval.report.complete_results import completed, main, recorded_trainings


def record(command: str, metrics: dict[str, Estimate], **changes: object) -> ResultRecord:
    values: dict[str, object] = {
        "name": "x", "method": "bcd", "dataset": "shapes", "modality": "video", "command": command, "seed": 0,
        "device": "cpu", "wall_seconds": 1.0, "versions": {}, "metrics": named(metrics),
    }  # fmt: skip
    return ResultRecord.model_validate(values | changes)


TRAINED = "seqdis train bcd-shapes target_bits=2 train.steps=500 --out runs/two"


def test_a_training_is_the_preset_with_its_changes() -> None:
    one = record(
        f"{TRAINED} && seqdis eval bitrate runs/two --out x.json", {"coded_bits": Estimate(value=2.0)}
    )
    found = recorded_trainings([one])
    (training,) = completed(one, found).trainings
    preset = get_preset("bcd-shapes")
    assert (training.run, training.method, training.preset) == ("runs/two", "bcd", "bcd-shapes")
    assert (training.steps, training.batch_size) == (500, preset.train.batch_size)
    assert training.changes == ("target_bits=2",)
    assert training.sequence_shape == (preset.data.length, *preset.data.frame_shape)
    assert completed(one, found).protocol == "bitrate"
    assert completed(one, found).headline == ("coded_bits",)
    assert completed(completed(one, found), {}) == completed(one, found)  # what is there stays


def test_the_noise_of_swaps_is_the_protocols_unless_the_record_was_written_with_a_headline() -> None:
    command = f"{TRAINED} && seqdis eval speaker runs/two --listen 0 --out x.json"
    metrics = {"eer_static": Estimate(value=0.1)}
    assert completed(record(command, metrics), {}).noise == "dynamic"
    assert completed(record(command, metrics, noise="fresh"), {}).noise == "fresh"
    assert completed(record(command, metrics, headline=("eer_static",)), {}).noise is None


def test_a_training_is_taken_from_another_file_and_cases_belong_to_runs(tmp_path: Path) -> None:
    metrics = {f"coded_bits@{name}": Estimate(value=1.0) for name in ("two", "one")}
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    record(TRAINED, {"reconstruction_mse": Estimate(value=1.0)}).save(paths[0])
    other = TRAINED.replace("two", "one").replace("bits=2", "bits=1")
    record(f"{other} && seqdis eval bitrate runs/two runs/one --out x.json", metrics).save(paths[1])
    assert main([str(path) for path in paths]) == 0
    found = ResultRecord.load(paths[1]).trainings
    assert [(t.run, t.case, t.changes) for t in found] == [
        ("runs/two", "two", ("target_bits=2",)),
        ("runs/one", "one", ("target_bits=1",)),
    ]


def test_a_damaged_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"schema": "seqdis.result.1"}))
    assert main([str(tmp_path / "x.json")]) == 2
    assert "x.json" in capsys.readouterr().err
