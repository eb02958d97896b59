"""A model is found by path or by name, and the message says where it was looked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from seqdis.core import named_models
from seqdis.core.cli.app import app
from seqdis.core.errors import InputError
from seqdis.core.named_models import MODELS, find_run
from seqdis.core.pretrained import load


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv(MODELS, raising=False)
    monkeypatch.setattr(named_models, "_clone", lambda: None)


def test_a_path_comes_first_then_the_setting_then_the_clone(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone, own, here = tmp_path / "clone" / "models", tmp_path / "own", tmp_path / "here"
    monkeypatch.setattr(named_models, "_clone", lambda: tmp_path / "clone")
    monkeypatch.setenv(MODELS, str(own))
    shutil.copytree(toy_run, clone / "small")
    assert find_run("small") == clone / "small"
    shutil.copytree(toy_run, own / "small")
    assert find_run("small") == own / "small"
    (here / "small").mkdir()
    assert find_run("small") == Path("small")
    assert find_run(toy_run) == toy_run


def test_what_is_not_there_is_told_with_where_it_was_looked_for(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        InputError, match=rf"^small: no such run folder; a model is found .* where {MODELS} names"
    ):
        find_run("small")
    monkeypatch.setenv(MODELS, str(tmp_path))
    with pytest.raises(InputError, match=rf"looked here, in {MODELS} \(.*\), where no model is$"):
        find_run("small")
    shutil.copytree(toy_run, tmp_path / "big")
    with pytest.raises(InputError, match=r"; models there: big$"):
        find_run("small")
    with pytest.raises(InputError, match=r"^runs/small: no such run folder$"):
        find_run("runs/small")
    Path("small").touch()
    with pytest.raises(InputError, match=r"^small: is no run folder, but a file$"):
        find_run("small")


def test_functions_and_commands_take_a_name(
    toy_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODELS, str(tmp_path))
    shutil.copytree(toy_run, tmp_path / "small")
    ours, theirs = load("small").state_dict(), load(toy_run).state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    import numpy as np

    np.save("a.npy", np.zeros((9, 8), dtype=np.float32))
    result = CliRunner().invoke(app, ["encode", "small", "a.npy", "--out", "factors.npz"])
    assert result.exit_code == 0, result.output
    result = CliRunner().invoke(app, ["encode", "smal", "a.npy", "--out", "other.npz"])
    assert (result.exit_code, "models there: small" in result.stderr) == (2, True)


def test_the_clone_of_an_editable_installation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    root = named_models._clone()
    assert root is None or (root / "packages" / "seqdis-core" / "src").is_dir()
