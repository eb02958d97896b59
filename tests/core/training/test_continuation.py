"""What may change when a run goes on, and what a finished one does with more steps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from seqdis.core.config import RampConfig, RunConfig, StageConfig, TrainConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import read_run_config
from seqdis.core.training.checkpoint import checkpoint_of_step, list_checkpoints, read_state
from seqdis.core.training.continuation import CHANGEABLE, changes_since, plan_continuation
from seqdis.core.training.differing_settings import Change
from seqdis.core.training.run_folder import RunFolder

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]

OTHER_VALUES: dict[str, Any] = {
    "steps": 30, "epochs": 3, "lr": 2e-3, "schedule": "constant", "warmup_steps": 0, "weight_decay": 0.1,
    "grad_clip": None, "ema_decay": 0.5, "precision": "bf16", "compile": True, "accumulate": 2, "log_every": 2,
    "eval_every": 3, "patience": 4, "save_every": 4, "keep": 1, "workers": 1, "batch_size": 16, "seed": 1,
    "betas": (0.8, 0.9), "stages": (StageConfig(name="one", steps=3),),
}  # fmt: skip


def losses(out: Path) -> dict[int, float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["loss"] for line in lines if "loss" in line}


def rates(out: Path) -> dict[int, float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {line["step"]: line["learning_rate"] for line in lines if "learning_rate" in line}


def notes(out: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "changed" in line]


def test_every_setting_of_a_training_either_may_change_or_is_refused(
    tmp_path: Path, plain_config: Configure
) -> None:
    path, before = tmp_path / "config.json", plain_config()
    path.write_text(before.model_dump_json())
    assert changes_since(path, before) == {}
    assert OTHER_VALUES.keys() == TrainConfig.model_fields.keys()
    refused = set()
    for name, value in OTHER_VALUES.items():
        now = before.model_copy(update={"train": before.train.model_copy(update={name: value})})
        try:
            assert changes_since(path, now) == {f"train.{name}": Change(getattr(before.train, name), value)}
        except InputError:
            refused.add(name)
    assert refused == {"batch_size", "seed", "betas", "stages"}
    assert {f"train.{name}" for name in OTHER_VALUES.keys() - refused} | {"prior"} == set(CHANGEABLE)
    kind = before.model_copy(update={"prior": before.prior.model_copy(update={"kind": "autoregressive"})})
    assert changes_since(path, kind) == {"prior.kind": Change("latent_ddim", "autoregressive")}


def test_what_may_not_change_is_named_with_all_that_may(tmp_path: Path, plain_config: Configure) -> None:
    path = tmp_path / "config.json"
    path.write_text(plain_config(batch_size=8).model_dump_json())
    allowed = re.escape(", ".join(CHANGEABLE))
    with pytest.raises(
        InputError,
        match=rf"^\S*config\.json: the run was started with train\.batch_size = 8, now it is 16, which may not "
        rf"change when it goes on; allowed to change: {allowed}; or train into another folder, .*--init-from$",
    ):
        changes_since(path, plain_config(batch_size=16, lr=0.5))
    with pytest.raises(InputError, match=r"started with model\.dropout = 0\.0, now it is 0\.5,"):
        changes_since(path, plain_config(dropout=0.5))


def test_a_finished_run_that_is_given_more_steps_goes_on_from_its_last(
    tmp_path: Path, plain_config: Configure, run: Run
) -> None:
    short, long, out = plain_config(steps=10), plain_config(steps=18, save_every=4), tmp_path / "run"
    run(short, out, command="seqdis train x steps=10")
    first = losses(out)
    run(long, out, resume=True, command="seqdis train x steps=18")
    assert {step: loss for step, loss in losses(out).items() if step <= 10} == first
    assert max(losses(out)) == 18
    newest = list_checkpoints(out / "checkpoints")[-1]
    assert read_state(newest).step == 18
    # The new settings stand in the run, in its new checkpoints, in the log and in run.json.
    assert read_run_config(out / "config.json") == read_run_config(newest / "config.json") == long
    changed = {"train.save_every": [5, 4], "train.steps": [10, 18]}
    assert notes(out) == [{"step": 10, "changed": changed}]
    record = json.loads((out / "run.json").read_text())
    assert record["notes"] == notes(out)
    assert record["steps"] == 18
    assert record["command"] == "seqdis train x steps=10 && seqdis train x steps=18 --resume"
    # The cosine is that of the new length from there on: what it would have been in a run of 18 from the start.
    run(plain_config(steps=18), tmp_path / "whole")
    assert rates(out)[12] == rates(tmp_path / "whole")[12]
    assert rates(out)[9] != rates(tmp_path / "whole")[9]


def test_with_a_constant_rate_and_no_average_an_extended_run_is_a_longer_one(
    tmp_path: Path, plain_config: Configure, run: Run
) -> None:
    """Then no step depends on the length, and what was done before is what a longer run would have done."""
    steady = {"schedule": "constant", "ema_decay": 0.0, "log_every": 1, "eval_every": 100, "dropout": 0.2}
    run(plain_config(steps=20, **steady), tmp_path / "whole", val_set=None)
    run(plain_config(steps=9, **steady), tmp_path / "run", val_set=None)
    run(plain_config(steps=20, **steady), tmp_path / "run", val_set=None, resume=True)
    assert losses(tmp_path / "run") == losses(tmp_path / "whole")
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "whole")]
    assert files[0] == files[1]


def test_an_extension_that_is_killed_goes_on_and_is_noted_once(
    tmp_path: Path, plain_config: Configure, whole_and_resumed: Callable[..., list[bytes]], run: Run
) -> None:
    def extended(config: RunConfig, out: Path, **options: Any) -> Disentangler:
        if not out.exists():
            run(plain_config(steps=10), out)
        return run(config, out, **{**options, "resume": True})

    # Stopped before its first checkpoint: the note of the first attempt is written anew, not twice.
    whole, resumed = whole_and_resumed(extended, plain_config(steps=20, lr=2e-3), stop=13)
    assert whole == resumed
    logs = [(tmp_path / name / "log.jsonl").read_text() for name in ("whole", "resumed")]
    assert logs[0] == logs[1]
    assert notes(tmp_path / "resumed") == [
        {"step": 10, "changed": {"train.lr": [0.01, 0.002], "train.steps": [10, 20]}}
    ]


def test_an_interrupted_extension_is_no_finished_run(
    tmp_path: Path, plain_config: Configure, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seqdis_plain import Plain

    out = tmp_path / "run"
    run(plain_config(steps=10), out)
    before = (out / "model.safetensors").read_bytes()

    def fails(*args: Any, **options: Any) -> Any:
        raise InputError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(Plain, "loss", fails)
        with pytest.raises(InputError, match="the power went"):
            run(plain_config(steps=20), out, resume=True)
    assert not RunFolder(out).finished
    # The weights are those that were there: of the last checkpoint.
    newest = checkpoint_of_step(out / "checkpoints", 10) / "model.safetensors"
    assert load_file(newest).keys() == Disentangler.from_pretrained(out).state_dict().keys()
    assert newest.read_bytes() == before
    # Without the longer training it is what it was.
    run(plain_config(steps=10), out, resume=True)
    assert (out / "model.safetensors").read_bytes() == before
    assert notes(out) == []


def test_other_settings_act_from_the_next_step_on(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    out = tmp_path / "run"
    steady = {"schedule": "constant", "log_every": 1, "weight_decay": 0.0}
    run(plain_config(steps=6, **steady), out)
    run(plain_config(steps=9, **(steady | {"lr": 5e-3})), out, resume=True)
    assert [rates(out)[step] for step in (5, 6, 7, 9)] == [1e-2, 1e-2, 5e-3, 5e-3]
    moved = {}
    for decay in (0.0, 0.9):
        other = tmp_path / f"decay-{decay}"
        run(plain_config(steps=6, **steady), other)
        run(plain_config(steps=7, **(steady | {"weight_decay": decay})), other, resume=True)
        moved[decay] = load_file(checkpoint_of_step(other / "checkpoints", 7) / "trainer/weights.safetensors")
    before = load_file(
        checkpoint_of_step(tmp_path / "decay-0.9" / "checkpoints", 6) / "trainer/weights.safetensors"
    )
    # AdamW shrinks the weights by lr × decay beside the step that it takes in any case.
    name = "static.weight"
    shrunk = moved[0.0][name] - 1e-2 * 0.9 * before[name]
    torch.testing.assert_close(moved[0.9][name], shrunk, rtol=1e-5, atol=1e-6)


def test_nothing_to_do_is_said(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    out = tmp_path / "run"
    run(plain_config(steps=10), out)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    for changes, said in (
        (
            {"steps": 10, "lr": 0.5},
            r"is finished after 10 steps, another train\.lr would change nothing; give a larger",
        ),
        ({"steps": 9}, r"10 steps are done already, more than the 9 asked for$"),
    ):
        with pytest.raises(InputError, match=said):
            run(plain_config(**changes), out, resume=True)
    run(plain_config(steps=10, workers=1, keep=9), out, resume=True)  # no result depends on these
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    for path in list_checkpoints(out / "checkpoints"):
        path.rename(path.with_name(f"gone-{path.name}"))
    with pytest.raises(InputError, match=r"is finished and holds no checkpoint to go on from .*--init-from$"):
        run(plain_config(steps=20), out, resume=True)


def test_a_run_that_ended_early_goes_on_with_more_patience(
    tmp_path: Path, plain_config: Configure, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seqdis.core.training import trainer

    values = iter((3.0, 2.0, 2.5, 2.1, 2.2, 2.3, 2.4))
    monkeypatch.setattr(trainer, "validation_loss", lambda *_, **__: {"loss": next(values)})
    changes: dict[str, Any] = {"steps": 12, "eval_every": 2, "save_every": 3}
    out = tmp_path / "run"
    run(plain_config(**changes, patience=2), out)
    assert read_state(list_checkpoints(out / "checkpoints")[-1]).step == 8
    with pytest.raises(
        InputError, match=r"ended early, after 2 validations without a lower loss; .*train\.patience"
    ):
        run(plain_config(**(changes | {"steps": 14}), patience=2), out, resume=True)
    run(plain_config(**(changes | {"steps": 14}), patience=9), out, resume=True)
    assert read_state(list_checkpoints(out / "checkpoints")[-1]).step == 14
    best = checkpoint_of_step(out / "checkpoints", 4) / "model.safetensors"
    assert (out / "model.safetensors").read_bytes() == best.read_bytes()


def test_a_run_with_stages_is_extended_within_its_last(
    tmp_path: Path, plain_config: Configure, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seqdis_plain import Plain

    from seqdis.core.training.hooks import TrainingHooks

    seen: list[tuple[str, float]] = []

    class Hooks(TrainingHooks[Any]):
        def on_stage(self, name: str) -> None:
            seen.append((name, -1.0))

        def set_scheduled(self, name: str, value: float) -> None:
            seen.append((name, value))

    monkeypatch.setattr(Plain, "training_hooks", lambda self: Hooks(self))
    stages = (
        StageConfig(name="one", steps=3),
        StageConfig(name="two", steps=4, ramps={"weight": RampConfig(start=0.0, end=3.0)}),
    )
    config, out = plain_config(steps=None, stages=stages), tmp_path / "run"
    run(config, out)
    assert read_state(list_checkpoints(out / "checkpoints")[-1]).step == 7
    seen.clear()
    longer = config.model_copy(update={"train": config.train.model_copy(update={"steps": 10})})
    run(longer, out, resume=True)
    assert seen == [("two", -1.0), *[("weight", 3.0)] * 3]


def test_a_fresh_folder_is_no_continuation(tmp_path: Path, plain_config: Configure) -> None:
    plan = plan_continuation(RunFolder(tmp_path / "none"), plain_config(), steps_per_epoch=12)
    assert (plan.finished, plan.changes) == (False, {})
