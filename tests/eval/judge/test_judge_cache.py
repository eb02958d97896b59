from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from seqdis.eval.judge.judge_cache import judge_for
from seqdis.eval.judge.judge_training import JudgeBudget
from seqdis.eval.judge.sequence_judge import SequenceJudge

BRIEF = JudgeBudget(steps=4, batch_size=8, check_every=2)


def test_a_kept_judge_is_used_only_for_the_clips_it_came_from(world, tmp_path) -> None:
    path = tmp_path / "judge.safetensors"
    budget = BRIEF
    made, _ = judge_for(world(40, 0), world(20, 1), path=path, budget=budget)
    kept, _ = judge_for(world(40, 0), world(20, 1), path=path, budget=budget)
    other, _ = judge_for(world(40, 2), world(20, 1), path=path, budget=budget)
    assert all(torch.equal(made.state_dict()[n], kept.state_dict()[n]) for n in made.state_dict())
    assert any(not torch.equal(made.state_dict()[n], other.state_dict()[n]) for n in made.state_dict())


def test_runs_on_the_same_clips_share_a_judge(world, tmp_path, monkeypatch) -> None:
    budget, shared = BRIEF, tmp_path / "judges"

    def judge_of(run: str, seed: int) -> SequenceJudge:
        path = tmp_path / f"{run}.safetensors"
        return judge_for(world(40, seed), world(20, 9), path=path, shared=shared, budget=budget)[0]

    first = judge_of("a", 0)
    (kept,) = shared.iterdir()
    whole = kept.read_bytes()
    with monkeypatch.context() as without:
        without.setattr("seqdis.eval.judge.judge_cache.train_judge", None)  # it cannot train another
        second = judge_of("b", 0)
    assert all(torch.equal(first.state_dict()[n], second.state_dict()[n]) for n in first.state_dict())
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    kept.write_bytes(b"damaged")
    judge_of("c", 0)
    assert kept.read_bytes() == whole
    judge_of("d", 2)  # other clips
    assert len(list(shared.iterdir())) == 2


def test_a_judge_that_cannot_be_kept_is_used_and_told_in_one_line(
    world, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    for name, places in (
        ("shared", {"path": tmp_path / "judge.safetensors", "shared": tmp_path / "file" / "x"}),
        ("run", {"path": tmp_path / "file" / "judge.safetensors", "shared": tmp_path / "judges"}),
        ("both", {"path": tmp_path / "file" / "judge.safetensors", "shared": tmp_path / "file" / "x"}),
    ):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            judge, accuracy = judge_for(world(40, 0), world(20, 9), budget=BRIEF, **places)
        assert accuracy.n == 20
        assert judge.labels == world(1, 0).labels
        (record,) = caplog.records
        assert record.getMessage().startswith("the judge is not kept: ")
        assert record.getMessage().count("cannot be written") == (2 if name == "both" else 1)
        assert "\n" not in record.getMessage()
    assert (tmp_path / "judge.safetensors").is_file()
    assert len(list((tmp_path / "judges").iterdir())) == 1


def _spoilt(path: Path, change: str) -> None:
    """Damage a judge's file, of which the origin stays what it was where it can be read."""
    with safe_open(str(path), framework="pt") as file:
        about = json.loads(file.metadata()["seqdis.judge.1"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    if change == "nan":
        state = {
            name: value * torch.nan if value.is_floating_point() else value for name, value in state.items()
        }
    elif change == "int8":
        state = {name: value.to(torch.int8) for name, value in state.items()}
    elif change == "accuracy":
        about["accuracy"]["joint"] = torch.nan
    elif change == "labels":
        about["labels"] = {"level": 3}
    save_file(state, path, {"seqdis.judge.1": json.dumps(about)})
    if change == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif change == "text":
        path.write_text("no judge")


@pytest.mark.parametrize("change", ["nan", "int8", "accuracy", "labels", "cut", "text"])
@pytest.mark.parametrize("place", ["run", "shared"])
def test_a_damaged_judge_is_left_out_in_one_line_and_made_again(
    world,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    change: str,
) -> None:
    made = SequenceJudge(labels=world(1, 0).labels, frame_shape=world(1, 0).shape[1:]).eval()
    monkeypatch.setattr("seqdis.eval.judge.judge_cache.train_judge", lambda *_, **__: made)
    run, shared = tmp_path / "judge.safetensors", tmp_path / "judges"

    def judge() -> SequenceJudge:
        return judge_for(world(20, 0), world(4, 9), path=run, shared=shared, budget=BRIEF)[0]

    first = judge()
    (common,) = shared.iterdir()
    whole = run.read_bytes()
    if place == "run":
        _spoilt(run, change)
    else:
        run.unlink()
        _spoilt(common, change)
    with caplog.at_level(logging.WARNING):
        second = judge()
    assert all(torch.equal(first.state_dict()[n], second.state_dict()[n]) for n in first.state_dict())
    (record,) = caplog.records
    assert record.getMessage().startswith("the judge kept there is left out: /")
    assert "\n" not in record.getMessage()
    assert run.read_bytes() == common.read_bytes() == whole
