"""A published model is its run's, in half the bytes, with a card that says what it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from seqdis_toy import ToyModality
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.config import change_config
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.modality import DatasetSpec
from seqdis.core.pretrained import build_model, config_of, load
from seqdis.core.publishing import Terms, publish_model
from seqdis.core.registry import get_preset
from seqdis.core.results import ResultRecord


@pytest.fixture
def record(toy_run: Path, tmp_path: Path) -> Path:
    metrics = Metrics.of(
        {"swap_joint_accuracy": Estimate(value=0.75, chance=0.1, ci95=(0.5, 0.9))}, role="swap"
    )
    path = tmp_path / "swap.json"
    ResultRecord.of_run(
        config_of(load(toy_run)),
        metrics,
        name="x",
        command="seqdis eval swap RUN",
        seed=3,
        device="cpu",
        seconds=1.0,
    ).save(path)
    return path


def test_a_published_model_is_the_same_in_half_precision(toy_run: Path, tmp_path: Path, record: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(toy_run, run)
    about = {"command": "seqdis train toy", "device": "cpu", "seconds": 12.4, "steps": 7}
    (run / "run.json").write_text(json.dumps(about))
    publish_model(run, tmp_path / "small", results=[record])
    held = {
        name: tensor.dtype for name, tensor in load_file(tmp_path / "small" / "model.safetensors").items()
    }
    ours, theirs = load(tmp_path / "small"), load(toy_run)
    trained = {name for name, _ in theirs.named_parameters()}
    assert {held[name] for name in trained} == {torch.float16}
    for name, value in theirs.state_dict().items():
        expected = value.half().float() if name in trained else value
        assert torch.equal(ours.state_dict()[name], expected)
    card = (tmp_path / "small" / "README.md").read_text()
    for said in (
        "# small",
        "`seqdis train toy`",
        "7 steps",
        "12 s",
        "swap_joint_accuracy ↑",
        "0.5 to 0.9",
        "generated",
    ):
        assert said in card
    assert (
        ResultRecord.load(tmp_path / "small" / "results" / "swap.json").metrics["swap_joint_accuracy"].value
        == 0.75
    )


def test_a_result_of_another_model_is_refused(toy_run: Path, tmp_path: Path, record: Path) -> None:
    values = json.loads(record.read_text()) | {"method": "divid"}
    record.write_text(json.dumps(values))
    with pytest.raises(InputError, match=r"swap\.json: measured of divid on ramps; this is \w+ on ramps$"):
        publish_model(toy_run, tmp_path / "small", results=[record])
    assert not (tmp_path / "small").exists()


def test_data_of_ones_own_need_terms(tmp_path: Path) -> None:
    config = change_config(get_preset("toy-folder"), {"data.frame_shape": (8,)})
    build_model(config).save_pretrained(tmp_path / "run")
    with pytest.raises(InputError, match=r"run: learnt from data of one's own: --licence and --credit say"):
        publish_model(tmp_path / "run", tmp_path / "small")
    publish_model(tmp_path / "run", tmp_path / "small", terms=Terms("CC0", "me | you"))
    assert "| credit | me ∣ you |" in (tmp_path / "small" / "README.md").read_text()


def test_no_model_of_data_without_derived_works_is_given_away(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ToyModality().datasets()["ramps"]
    closed = DatasetSpec("ramps", "", spec.labels, spec.build, licence="CC BY-ND 4.0", derivatives=False)
    monkeypatch.setattr(ToyModality, "datasets", lambda self: {"ramps": closed})
    with pytest.raises(InputError, match=r"'ramps': CC BY-ND 4\.0 allows no derived works"):
        publish_model(toy_run, tmp_path / "small")


def test_the_command_replaces_nothing_unasked(toy_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    words = ["publish", str(toy_run), "--out", str(out), "--json"]
    first = CliRunner().invoke(app, words)
    assert first.exit_code == 0, first.output
    assert json.loads(first.stdout)["bytes"] == (out / "model.safetensors").stat().st_size
    again = CliRunner().invoke(app, words)
    assert (again.exit_code, "add --force to replace it" in again.stderr) == (2, True)
    assert CliRunner().invoke(app, [*words, "--force", "--dtype", "float32"]).exit_code == 0
