from __future__ import annotations

import json
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
