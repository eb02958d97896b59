from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import torch

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.results import ResultRecord
from seqdis.eval.cli.records import save_result, with_training
from seqdis.eval.engine.open_run import OpenRun


def test_a_record_names_what_came_before_it(tmp_path: Path) -> None:
    """The training always; the fitting of a prior where the measurement drew from it."""
    run, bare = tmp_path / "run", tmp_path / "bare"
    (run / "prior").mkdir(parents=True)
    bare.mkdir()
    (run / "run.json").write_text(json.dumps({"command": "seqdis train x", "seconds": 10.0}))
    about = {"command": "seqdis prior fit x", "seconds": 4.0}
    (run / "prior" / "prior.json").write_text(
        json.dumps({"format": "seqdis.prior.latent_ddim.1", "about": about})
    )
    record = ResultRecord(
        name="n", method="m", dataset="d", modality="v", command="seqdis eval y", seed=0, device="cpu",
        wall_seconds=1.5, versions={}, metrics=Metrics(),
    )  # fmt: skip
    joined = with_training(record, [run, bare])
    assert (joined.command, joined.wall_seconds) == ("seqdis train x && seqdis eval y", 11.5)
    joined = with_training(record, [run, bare], drawn=True)
    assert joined.command == "seqdis train x && seqdis prior fit x && seqdis eval y"
    assert joined.wall_seconds == 15.5
    assert with_training(record, [bare]) == record


def test_a_saved_result_counts_the_training_and_goes_by_the_presets_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"command": "python train.py", "seconds": 10.0}))
    config = RunConfig(
        preset="tiny", modality="toy", method="diffsda", train=TrainConfig(steps=1, seed=7),
        data=DataConfig(dataset="ramps", length=4, frame_shape=(4,)), model=DiffSDAConfig.model_construct(),
    )  # fmt: skip
    nothing = ArraySequences(torch.zeros(2, 4, 4))
    model = SimpleNamespace(device=torch.device("cpu"))
    run = OpenRun(tmp_path, model, config, nothing, nothing)  # type: ignore[arg-type]
    metrics = Metrics.of({"mse": Estimate(value=0.25, chance=1.5)}, role="reconstruction")
    for name, called in ((None, "tiny"), ("mine", "mine")):
        record = save_result(
            run,
            metrics,
            tmp_path / "r.json",
            name=name,
            command="python evaluate.py",
            headline=("mse", "absent"),
        )
        assert record == ResultRecord.load(tmp_path / "r.json")
        assert (record.name, record.seed, record.method) == (called, 7, "diffsda")
        assert record.command == "python train.py && python evaluate.py"
        assert record.wall_seconds >= 10
        assert record.headline == ("mse",)
    printed = capsys.readouterr().out
    assert "1.500" in printed
    assert f"written: {tmp_path / 'r.json'}" in printed


@pytest.mark.parametrize(("role", "recorded"), [("swap", "fresh"), ("reconstruction", None)])
def test_the_noise_is_recorded_where_something_was_swapped(
    tmp_path: Path, role: Literal["swap", "reconstruction"], recorded: str | None
) -> None:
    config = RunConfig(
        preset="tiny", modality="toy", method="diffsda", train=TrainConfig(steps=1),
        data=DataConfig(dataset="ramps", length=4, frame_shape=(4,)), model=DiffSDAConfig.model_construct(),
    )  # fmt: skip
    nothing = ArraySequences(torch.zeros(2, 4, 4))
    run = OpenRun(tmp_path, SimpleNamespace(device="cpu"), config, nothing, nothing)  # type: ignore[arg-type]
    metrics = Metrics.of({"mse": Estimate(value=0.25)}, role=role)
    record = save_result(run, metrics, tmp_path / "r.json", command="python evaluate.py", noise="fresh")
    assert ResultRecord.load(tmp_path / "r.json").noise == record.noise == recorded
