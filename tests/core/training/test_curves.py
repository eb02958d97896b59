"""What a method shows over a variable is logged and drawn at each validation, whatever the method."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdis.core.config import RunConfig
from seqdis.core.curve import Curve
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack, randn
from seqdis.core.sequences import Sequences
from seqdis.core.training import curves
from seqdis.core.training.curves import draw_curves, read_curves
from seqdis.core.training.hooks import TrainingHooks

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]


@pytest.fixture
def _curvy(monkeypatch: pytest.MonkeyPatch) -> None:
    from seqdis_plain import Plain

    class Curvy(TrainingHooks[Any]):
        def curves(self, sequences: Sequences, *, generator: GeneratorStack) -> dict[str, Curve]:
            drawn = randn((len(sequences), 3), generator=generator).mean(0)
            y = torch.tensor([1.0, 2.0, float("nan")]) + drawn * torch.tensor([1.0, 0, 0])
            return {"bend": Curve(torch.tensor([0, 5, 9]), y, "lag, steps", "nats")}

    monkeypatch.setattr(Plain, "training_hooks", lambda self: Curvy(self))


@pytest.mark.usefixtures("_curvy")
def test_a_run_logs_and_draws_them(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    out = tmp_path / "run"
    run(plain_config(steps=20, eval_every=10), out)
    history = read_curves(out / "log.jsonl")["bend"]
    assert [step for step, _ in history] == [10, 20]
    one, two = (curve for _, curve in history)
    assert (one["x"], one["x_name"], one["y_name"]) == ([0, 5, 9], "lag, steps", "nats")
    assert one["y"][1:] == [2.0, None]
    assert one["y"] == two["y"]  # the same sequences and the same noise every time
    assert (out / "curves" / "bend.png").read_bytes().startswith(b"\x89PNG")
    assert any(path.stat().st_size for path in (out / "tensorboard").iterdir())


@pytest.mark.usefixtures("_curvy")
def test_going_on_leaves_the_same_log_and_picture(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    config = plain_config(steps=20, eval_every=5, save_every=5)
    run(config, tmp_path / "whole")
    run(config, tmp_path / "cut")
    (tmp_path / "cut" / "model.safetensors").unlink()
    shutil.rmtree(tmp_path / "cut" / "checkpoints" / "step-00000020")
    run(config, tmp_path / "cut", resume=True)
    for name in ("log.jsonl", "curves/bend.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_of_many_validations_the_first_and_the_newest_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(curves, "draw_lines", lambda path, lines, **names: drawn.append((path, lines, names)))

    def line(step: int) -> dict[str, Any]:
        curve = {"x": [0, 1], "y": [step, 1], "x_name": "x", "y_name": "y", "logarithmic": False}
        return {"step": step, "curves": {"c": curve}}

    log = tmp_path / "log.jsonl"
    log.write_text(
        "".join(json.dumps(line(step)) + "\n" for step in range(1, 13)) + '{"step": 12, "loss": 1}\n'
    )
    draw_curves(log, tmp_path / "curves")
    ((path, lines, names),) = drawn
    assert path == tmp_path / "curves" / "c.png"
    assert [line.title for line in lines] == [f"step {step}" for step in (1, *range(6, 13))]
    assert names == {"title": "c", "x_name": "x", "y_name": "y", "logarithmic": False}
    log.write_text('{"step": 1, "loss": 2.0}\n')
    draw_curves(log, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_curve_has_a_value_for_each_place() -> None:
    with pytest.raises(InputError, match=r"one shape \(N,\); got \(3,\) and \(2,\)"):
        Curve(torch.zeros(3), torch.zeros(2), "x", "y")
