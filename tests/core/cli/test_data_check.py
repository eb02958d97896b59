from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from typer.testing import Result

Command = Callable[..., Result]
Refused = Callable[..., str]


def folder(tmp_path: Path) -> Path:
    data = tmp_path / "clips"
    data.mkdir()
    for index in range(3):
        np.save(data / f"{index}.npy", np.random.default_rng(index).normal(size=(20 + index, 8)))
    (data / "notes.doc").write_text("")
    return data


def test_one_page_says_files_lengths_splits_and_windows(seqdis: Command, tmp_path: Path) -> None:
    done = seqdis("data", "check", folder(tmp_path), "--preset", "toy-folder")
    assert done.exit_code == 0, done.stderr
    for words in (
        "3, 3 recordings",
        "20 to 22, median 21",
        "1 files of other kinds: 1 .doc",
        "in time",
        "an epoch",
    ):
        assert words in done.stdout
    assert done.stderr == ""


def test_json_has_the_same_windows_as_a_dry_run(seqdis: Command, tmp_path: Path) -> None:
    data = folder(tmp_path)
    said = json.loads(seqdis("data", "check", data, "--preset", "toy-folder", "length=4", "--json").stdout)
    plan = json.loads(seqdis("train", "toy-folder", "length=4", "--data", data, "--dry-run", "--json").stdout)
    assert said["splits"]["train"]["windows"] == plan["windows_per_epoch"]
    assert said["splits"]["val"]["windows"] == plan["val_windows"]
    assert said["left_out"] == [{"path": str(data / "notes.doc"), "reason": "kind", "detail": ".doc"}]


def test_a_page_and_a_picture_are_written(seqdis: Command, tmp_path: Path) -> None:
    page, picture = tmp_path / "out" / "page.html", tmp_path / "p.png"
    words = (
        "data",
        "check",
        folder(tmp_path),
        "--preset",
        "toy-folder",
        "--html",
        page,
        "--picture",
        picture,
    )
    assert seqdis(*words).exit_code == 0
    text = page.read_text()
    assert "data:image/png;base64," in text
    assert "1 files of other kinds: 1 .doc" in text
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_checked_is_told_in_one_line(refused: Refused, tmp_path: Path) -> None:
    assert "no such file or folder" in refused("data", "check", tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    assert "holds no file that an installed modality reads" in refused("data", "check", tmp_path / "empty")


def test_values_that_float32_cannot_scale_are_told_before_and_refused_in_training(
    seqdis: Command, refused: Refused, tmp_path: Path
) -> None:
    data = folder(tmp_path)
    for path in data.glob("*.npy"):
        np.save(path, np.load(path) * 1e-41)
    said = json.loads(seqdis("data", "check", data, "--preset", "toy-folder", "--json").stdout)
    (advice,) = [one for one in said["advice"] if "refuses" in one]
    error = refused("train", "toy-folder", "--data", data, "--out", tmp_path / "run", "--device", "cpu")
    for text in (advice, error):
        assert re.search(
            r"\d\.npy: the training data of channel\(s\) \[0\] go from -\d\S*e-4\d to \d\S*e-4\d; ", text
        )
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_length_of_one_step_is_refused_with_the_least_length(refused: Refused, tmp_path: Path) -> None:
    data = folder(tmp_path)
    for words in (("data", "check", data, "--preset", "toy-folder"), ("train", "toy-folder", "--data", data)):
        said = refused(*words, "length=1")
        assert "length' is 1, but: Input should be greater than or equal to 2" in said
