from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from seqdis.core import processes
from seqdis.core.disentangler import Disentangler
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset

Command = Callable[..., Result]
Refused = Callable[..., str]


def test_a_run_is_trained_with_the_overrides_and_the_seed(seqdis: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = seqdis(
        "train", "toy", "train.steps=4", "batch_size=4", "--out", out, "--seed", 7, "--device", "cpu"
    )
    assert result.exit_code == 0, result.output
    config = Disentangler.from_pretrained(out).run_config
    assert config is not None
    assert (config.train.steps, config.train.batch_size, config.train.seed) == (4, 4, 7)
    record = json.loads((out / "run.json").read_text())
    assert record["command"] == f"seqdis train toy train.steps=4 batch_size=4 train.seed=7 --out {out}"


def test_json_is_all_that_standard_output_holds(seqdis: Command, tmp_path: Path) -> None:
    out = tmp_path / "run"
    said = json.loads(
        seqdis("train", "toy", "train.steps=2", "--out", out, "--device", "cpu", "--json").stdout
    )
    assert said["out"] == str(out)
    assert said["parameters"] == sum(p.numel() for p in build_model(get_preset("toy")).parameters())


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    seqdis: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = json.loads(
        seqdis(
            "train", "toy", "epochs=3", "train.steps=none", "--dry-run", "--json", "--device", "cpu"
        ).stdout
    )
    assert plan["out"] == "runs/toy"
    assert plan["steps"] == 3 * 12  # 96 sequences in batches of 8
    assert (plan["windows_per_epoch"], plan["val_windows"], plan["sequence_shape"]) == (96, 24, [6, 8])
    assert plan["parameters"] == sum(p.numel() for p in build_model(get_preset("toy")).parameters())
    assert plan["config"]["train"]["epochs"] == 3
    words = ("train", "toy", "epochs=3", "train.steps=none", "batch_size=10", "--dry-run", "--json")
    assert (
        json.loads(seqdis(*words).stdout)["steps"] == 3 * 9
    )  # the rest of an epoch that fills no batch is dropped
    shown = seqdis("train", "toy", "--dry-run").stdout
    assert "model.static_dim" in shown
    assert not [*tmp_path.iterdir()]


def test_resume_goes_on_takes_more_steps_and_refuses_another_seed(
    seqdis: Command, refused: Refused, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("train", "toy", "--out", out, "--device", "cpu", "--json")
    assert seqdis(*words, "train.steps=2").exit_code == 0
    weights = (out / "model.safetensors").read_bytes()
    assert "already holds a run" in refused(*words, "train.steps=2")
    assert seqdis(*words, "train.steps=2", "--resume").exit_code == 0
    assert (out / "model.safetensors").read_bytes() == weights
    more = ("train.steps=3", "lr=0.002", "--resume")
    plan = json.loads(seqdis(*words, *more, "--dry-run").stdout)
    assert (plan["steps"], plan["steps_done"]) == (3, 2)
    assert plan["changed"] == ["train.lr: 0.001 -> 0.002", "train.steps: 2 -> 3"]
    assert (out / "model.safetensors").read_bytes() == weights
    assert seqdis(*words, *more).exit_code == 0
    assert (out / "model.safetensors").read_bytes() != weights
    said = refused(*words, "train.steps=4", "--seed", 1, "--resume")
    assert (
        "started with train.seed = 0, now it is 1, which may not change when it goes on; allowed to change: "
        in said
    )
    assert "train.steps, train.epochs, train.lr, " in said


def test_a_new_run_starts_from_the_weights_of_another(
    seqdis: Command, refused: Refused, tmp_path: Path
) -> None:
    words = ("train", "toy", "--device", "cpu", "--json")
    assert seqdis(*words, "train.steps=3", "--out", tmp_path / "a").exit_code == 0
    start = (*words, "train.steps=2", "--init-from", tmp_path / "a", "--out", tmp_path / "b")
    plan = json.loads(seqdis(*start, "--dry-run").stdout)
    assert plan["weights_from"] == str(tmp_path / "a")
    assert not (tmp_path / "b").exists()
    assert seqdis(*start).exit_code == 0
    command = json.loads((tmp_path / "b" / "run.json").read_text())["command"]
    assert command == f"seqdis train toy train.steps=2 --init-from {tmp_path / 'a'} --out {tmp_path / 'b'}"
    for extra in ((), ("--dry-run",)):
        said = refused(*words, "static_dim=4", "--init-from", tmp_path / "a", "--out", tmp_path / "c", *extra)
        assert "its weights do not fit: " in said
        assert "model.static_dim = 8 there, 4 here" in said
        assert not (tmp_path / "c").exists()
    assert "holds no model" in refused(*words, "--init-from", tmp_path, "--out", tmp_path / "c")


def test_ones_own_folder_is_trained_on_without_a_val(seqdis: Command, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    for index in range(3):
        np.save(data / "train" / f"{index}.npy", np.random.default_rng(index).normal(size=(20, 8)))
    words = ("train", "toy-folder", "--data", data, "--dry-run", "--json")
    plan = json.loads(seqdis(*words).stdout)
    assert (plan["windows_per_epoch"], plan["val_windows"]) == (9, 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tyo"], "unknown preset 'tyo' (did you mean 'toy'?)"),
        (["toy", "train.stepz=3"], "override: unknown key 'train.stepz' (did you mean 'train.steps'?)"),
        (["toy", "channels=3"], "override key 'channels' is ambiguous; allowed: model.encoder.channels, "),
        (["toy", "steps"], "override 'steps' is not of the form key=value"),
        (["toy", "lr=-1"], "override: key 'train.lr' is -1, but: "),
        (["toy", "--device", "tpu"], "device 'tpu' is not on this machine; allowed here: cpu"),
        (["toy-folder"], "dataset 'folder' needs --data FOLDER"),
        (["toy-folder", "--data", "."], ".: holds no file that toy reads; known: .npy"),
        (["toy-folder", "--data", "none"], "none: no such file or folder"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused("train", *words).startswith(said)
    assert not [*tmp_path.iterdir()]


def test_only_the_first_of_several_processes_speaks(
    seqdis: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("train", "toy", "train.steps=2", "--device", "cpu", "--json", "--out", tmp_path / "run")
    seqdis(*words)
    assert seqdis(*words, "--resume").stdout != ""
    monkeypatch.setattr(processes, "is_first_process", lambda: False)
    assert seqdis(*words, "--resume").stdout == ""
