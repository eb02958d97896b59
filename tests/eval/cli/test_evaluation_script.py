"""A script that measures a run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seqdis.core.metric import Metrics
from seqdis.eval.cli import evaluation_script as module
from seqdis.eval.cli.evaluation_script import evaluation_script


def test_what_the_function_takes_besides_the_run_becomes_an_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[Any] = []
    opened = SimpleNamespace()
    monkeypatch.setattr(module, "open_run", lambda run, **how: seen.append((run, how)) or opened)
    monkeypatch.setattr(module, "save_result", lambda run, metrics, out, **how: seen.append((run, out, how)))

    def measure(run: object, *, pairs: int = 3) -> Metrics:
        seen.append((run, pairs))
        return Metrics()

    words = [str(tmp_path), "--pairs", "5", "--data", str(tmp_path), "--name", "mine"]
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *words])
    with pytest.raises(SystemExit) as ended:
        evaluation_script(measure, modality="video", out="results/x.json", headline=("mse",))
    assert ended.value.code == 0
    (run, how), measured, (saved, out, record) = seen
    assert (run, how) == (tmp_path, {"data": tmp_path, "device": "cpu", "modality": "video"})
    assert measured == (opened, 5)
    assert (saved, out) == (opened, Path("results/x.json"))
    assert (record["name"], record["headline"]) == ("mine", ("mse",))
    assert record["command"].startswith("python evaluate.py ")
