"""A script that trains one preset."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from seqdis.core.cli import training_script as module
from seqdis.core.cli.training_script import training_script


def test_its_words_change_the_preset_and_its_options_are_those_of_a_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls: list[tuple[Any, Path, dict[str, Any]]] = []
    monkeypatch.setattr(module, "train", lambda config, out, **options: calls.append((config, out, options)))
    for words in (
        [],
        [
            "train.steps=7",
            "--data",
            str(tmp_path),
            "--out",
            str(tmp_path / "run"),
            "--resume",
            "--init-from",
            "a",
        ],
    ):
        monkeypatch.setattr(sys, "argv", ["train.py", *words])
        with pytest.raises(SystemExit) as ended:
            training_script(preset="toy", out="runs/toy")
        assert ended.value.code == 0
    (plain, folder, options), (changed, other, given) = calls
    assert (plain.preset, folder) == ("toy", Path("runs/toy"))
    assert options == {"data": None, "resume": False, "init_from": None, "command": "python train.py"}
    assert (changed.train.steps, other) == (7, tmp_path / "run")
    assert (given["data"], given["resume"]) == (tmp_path, True)
    assert given["init_from"] == Path("a")
    assert given["command"].startswith("python train.py train.steps=7")
