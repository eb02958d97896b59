"""A new run that starts from the weights of a trained model, and from the normaliser they were trained for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seqdis.core import fit
from seqdis.core.config import CodecConfig, RunConfig, StageConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.model_files import state_to_save
from seqdis.core.registry import get_preset
from seqdis.core.training import train
from seqdis.core.training.checkpoint import checkpoint_of_step, list_checkpoints
from seqdis.core.training.initial_weights import read_initial_weights

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]


@pytest.fixture
def source(tmp_path: Path, plain_config: Configure, run: Run) -> Path:
    run(plain_config(steps=12, save_every=6, keep=9), tmp_path / "source")
    return tmp_path / "source"


def first_weights(out: Path) -> dict[str, Any]:
    return load_file(checkpoint_of_step(out / "checkpoints", 0) / "trainer" / "weights.safetensors")


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_the_first_step_is_taken_from_the_averaged_weights(
    tmp_path: Path, plain_config: Configure, run: Run, source: Path
) -> None:
    averaged = load_file(source / "model.safetensors")
    raw = load_file(checkpoint_of_step(source / "checkpoints", 12) / "trainer" / "weights.safetensors")
    out = tmp_path / "run"
    run(plain_config(steps=3, keep=9, seed=1), out, init_from=source)
    assert same(first_weights(out), averaged)
    assert not same(first_weights(out), raw)
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert log[0] == {"step": 0, "started_from": str(source)}
    assert json.loads((out / "run.json").read_text())["notes"] == log[:1]


def test_of_a_checkpoint_those_of_its_step(
    tmp_path: Path, plain_config: Configure, run: Run, source: Path
) -> None:
    checkpoint = checkpoint_of_step(source / "checkpoints", 6)
    run(plain_config(steps=1), tmp_path / "run", init_from=str(checkpoint))
    assert same(first_weights(tmp_path / "run"), load_file(checkpoint / "model.safetensors"))


def test_the_normaliser_is_kept_whatever_the_new_data_are(
    tmp_path: Path, plain_config: Configure, run: Run, source: Path
) -> None:
    known = Disentangler.from_pretrained(source).normalizer
    other = ArraySequences(100 + 7 * torch.randn(20, 6, 8, generator=torch.Generator().manual_seed(0)))
    config = plain_config(steps=2)
    warm = run(config, tmp_path / "warm", train_set=other, val_set=None, init_from=source)
    assert torch.equal(warm.normalizer.mean, known.mean)
    assert torch.equal(warm.normalizer.std, known.std)
    cold = run(config, tmp_path / "cold", train_set=other, val_set=None)
    assert float(cold.normalizer.mean) == pytest.approx(100, abs=1)


def test_resumed_it_ends_the_same_and_need_not_be_told_again(
    plain_config: Configure, source: Path, whole_and_resumed: Callable[..., list[bytes]], run: Run
) -> None:
    def start(config: RunConfig, out: Path, **options: Any) -> Disentangler:
        return run(config, out, **({} if "resume" in options else {"init_from": source}), **options)

    # Stopped before the first ordinary checkpoint: where it started from is in its own folder.
    whole, resumed = whole_and_resumed(start, plain_config(steps=7, save_every=5, dropout=0.2), stop=3)
    assert whole == resumed


def test_the_same_command_may_begin_a_run_and_go_on_with_it(
    tmp_path: Path, plain_config: Configure, run: Run, source: Path
) -> None:
    config, out = plain_config(steps=4, keep=9), tmp_path / "run"
    run(config, out, init_from=source, resume=True)
    run(plain_config(steps=6, keep=9), out, init_from=source, resume=True)
    assert [p.name for p in list_checkpoints(out / "checkpoints")] == [
        f"step-{step:08d}" for step in (0, 4, 5, 6)
    ]
    kinds = [json.loads(line).keys() - {"step"} for line in (out / "log.jsonl").read_text().splitlines()]
    assert kinds.count({"started_from"}) == 1


def test_a_model_in_memory_is_taken_as_it_is_now(
    plain_config: Configure, source: Path, tmp_path: Path
) -> None:
    model = Disentangler.from_pretrained(source)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    before = {name: value.clone() for name, value in state_to_save(model).items()}
    x = np.random.default_rng(0).normal(size=(12, 6, 8))
    fit(
        x, preset=plain_config(), steps=3, init_from=model, out=tmp_path / "run", device="cpu", progress=False
    )
    assert same(first_weights(tmp_path / "run"), before)
    assert same(state_to_save(model), before)  # and the model itself is left alone


def test_a_run_with_stages_begins_with_its_first(
    tmp_path: Path, plain_config: Configure, run: Run, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from seqdis_plain import Plain

    from seqdis.core.training.hooks import TrainingHooks

    begun: list[str] = []

    class Hooks(TrainingHooks[Any]):
        def parameter_groups(self) -> Any:
            own = set(self.model.static.parameters())
            rest = [p for p in self.model.parameters() if p.requires_grad and p not in own]
            return {"static": list(own), "rest": rest}

        def on_stage(self, name: str) -> None:
            begun.append(name)

    monkeypatch.setattr(Plain, "training_hooks", lambda self: Hooks(self))
    stages = (StageConfig(name="one", steps=2, frozen=("static",)), StageConfig(name="two", steps=2))
    config = plain_config(steps=None, stages=stages, keep=9, save_every=2)
    run(config, tmp_path / "run", init_from=source)
    assert begun == ["one", "two"]
    start, middle, end = (
        load_file(checkpoint_of_step(tmp_path / "run" / "checkpoints", step) / "trainer/weights.safetensors")
        for step in (0, 2, 4)
    )
    assert torch.equal(start["static.weight"], middle["static.weight"])
    assert not torch.equal(start["output.weight"], middle["output.weight"])
    assert not torch.equal(middle["static.weight"], end["static.weight"])


def test_weights_that_do_not_fit_are_refused_before_anything_is_written(
    tmp_path: Path, plain_config: Configure, run: Run, source: Path
) -> None:
    out, config = tmp_path / "run", plain_config(steps=2)
    with pytest.raises(
        InputError,
        match=r"^--init-from \S*source: a model of method 'plain'; this run needs one of 'diffsda'$",
    ):
        read_initial_weights(source, get_preset("toy"))
    wide = config.model_copy(update={"data": config.data.model_copy(update={"frame_shape": (9,)})})
    with pytest.raises(
        InputError,
        match=r"^--init-from \S*source: its weights do not fit: dynamic\.weight is \(3, 8\), this model needs "
        r"\(3, 9\); data\.frame_shape = \[8\] there, \[9\] here$",
    ):
        train(wide, out, init_from=source, train_set=ArraySequences(torch.randn(20, 6, 9)), device="cpu")
    assert not out.exists()
    each = config.model_copy(update={"data": config.data.model_copy(update={"normalize": "channel"})})
    with pytest.raises(
        InputError, match=r"normalizer\.mean is \(1,\), this model needs \(8,\); data\.normalize"
    ):
        run(each, out, init_from=source)
    behind = config.model_copy(update={"codec": CodecConfig(name="vae", path="x")})
    with pytest.raises(InputError, match=r"a model of codec 'identity'; this run needs one of 'vae'$"):
        read_initial_weights(source, behind)
    with pytest.raises(InputError, match="holds no model"):
        run(config, out, init_from=tmp_path)
    assert not out.exists()
