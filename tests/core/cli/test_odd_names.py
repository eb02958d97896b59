"""Names of files that are no text, as a disk may hold them: results name them by escapes, and no command ends at one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.factors import Factors
from seqdis.core.printable_names import printable

Command = Callable[..., Result]
ODD, SHOWN = os.fsdecode(b"caf\xe9.npy"), r"caf\udce9.npy"


@pytest.fixture
def odd(recordings: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "odd"
    folder.mkdir()
    try:
        for name in (ODD, "b\n.npy", "ü.npy"):
            shutil.copy(recordings / "a.npy", folder / name)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 alone")
    return folder


def test_only_what_no_text_holds_is_escaped() -> None:
    assert printable("ü💩\n.npy") == "ü💩\n.npy"
    assert printable(ODD) == SHOWN


def test_encode_names_the_sequence(seqdis: Command, toy_run: Path, odd: Path, tmp_path: Path) -> None:
    for name in ("f.safetensors", "shards"):
        result = seqdis("encode", toy_run, odd, "--out", tmp_path / name, "--device", "cpu")
        assert result.exit_code == 0, result.output
    assert set(Factors.load(tmp_path / "f.safetensors").keys) == {SHOWN, "b\n.npy", "ü.npy"}


def test_encode_writes_it_into_tables(seqdis: Command, toy_run: Path, odd: Path, tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    result = seqdis("encode", toy_run, odd, "--out", tmp_path / "f.csv", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert SHOWN in (tmp_path / "f.static.csv").read_text(encoding="utf-8")


def test_its_labels_are_found(odd: Path) -> None:
    clips = {ODD: {"who": "a"}, "ü.npy": {"who": "\udcff"}}
    (odd / "labels.json").write_text(json.dumps({"labels": {"who": "static"}, "clips": clips}))
    known = read_folder_labels(odd)
    assert known is not None
    assert known.of(SHOWN) == {"who": "a"}
    assert known.labels["who"].classes == (r"\udcff", "a")


@pytest.mark.parametrize(
    "words", [("reconstruct", "FILE", "--out", "OUT"), ("swap", "--dynamic", "FILE", "--out", "OUT")]
)
def test_results_are_told_on_any_terminal(
    seqdis: Command, prior_run: Path, odd: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    out = tmp_path / os.fsdecode(b"out\xff")
    places = {"FILE": str(odd / ODD), "OUT": str(out)}
    result = seqdis(words[0], prior_run, *(places.get(word, word) for word in words[1:]), "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert r"out\udcff" in result.stdout
    assert np.isfinite(np.load(next(out.glob("*.npy")))).all()


def test_a_run_needs_a_name_that_tensorboard_takes(refused: Callable[..., str], tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"run\xff")
    said = refused("train", "toy", "train.steps=1", "--out", out, "--device", "cpu")
    assert said.endswith("is no name in UTF-8, as TensorBoard needs it; choose another folder")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["", "."])
def test_a_path_without_a_name_is_one_line(refused: Callable[..., str], recordings: Path, path: str) -> None:
    said = refused("data", "check", recordings, "--preset", "toy-folder", "--html", path)
    assert said == ".: has no name of its own; needed is the path of a file or a new folder"
