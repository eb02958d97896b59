from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from seqdis.core.capabilities import quick_decoding
from seqdis.core.config import RunConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import build_model
from seqdis.core.reading import read_tensors
from seqdis.core.registry import build_dataset, get_modality, get_preset
from seqdis.core.training import train, trainer
from seqdis.core.training.checkpoint import list_checkpoints, read_state
from seqdis.core.training.preview import draw_preview
from seqdis.core.training.watch import FiniteWatch

_LONG = EDMConfig(steps=40, s_churn=10.0)

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]


def _log(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_a_run_learns_and_leaves_what_it_says(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    out = tmp_path / "run"
    model = run(
        plain_config(steps=60, log_every=10, eval_every=30, save_every=20), out, command="seqdis train x"
    )
    losses = [line["loss"] for line in _log(out) if "loss" in line]
    assert len(losses) == 6
    assert losses[-1] < losses[0] / 2
    assert [line["step"] for line in _log(out) if "val_loss" in line] == [30, 60]
    assert sorted(p.name for p in out.iterdir()) == [
        "checkpoints", "config.json", "log.jsonl", "model.safetensors", "previews", "run.json", "tensorboard",
    ]  # fmt: skip
    assert sorted(p.name for p in (out / "previews").iterdir()) == ["step-00000030.png", "step-00000060.png"]
    assert json.loads((out / "run.json").read_text())["command"] == "seqdis train x"
    assert not model.training
    for folder in (out, list_checkpoints(out / "checkpoints")[-1]):
        loaded = Disentangler.from_pretrained(folder)
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), loaded.parameters(), strict=True))


def test_the_same_seed_gives_identical_files_and_another_does_not(
    tmp_path: Path, plain_config: Configure, run: Run
) -> None:
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        torch.rand(len(name) + seed)  # what the caller drew before does not matter
        run(plain_config(steps=8, dropout=0.1, seed=seed), tmp_path / name)
    files = {
        name: [(tmp_path / name / f).read_bytes() for f in ("model.safetensors", "log.jsonl")]
        for name in "abc"
    }
    assert files["a"] == files["b"]
    assert files["a"][0] != files["c"][0]


def test_watching_a_run_does_not_change_it(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    run(plain_config(steps=12, dropout=0.1, eval_every=1, save_every=2), tmp_path / "watched")
    run(plain_config(steps=12, dropout=0.1, eval_every=100, save_every=100), tmp_path / "alone", val_set=None)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("watched", "alone")]
    assert weights[0] == weights[1]


def test_the_callers_random_state_is_left_alone(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    before = torch.get_rng_state()
    run(plain_config(steps=2), tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before)


def test_matches_a_loop_written_by_hand(
    tmp_path: Path, plain_config: Configure, run: Run, splits: Any
) -> None:
    """AdamW, the schedule, clipping and the average, from the public parts and plain torch."""
    config = plain_config(steps=6, grad_clip=0.1, weight_decay=0.1)
    seen: list[Any] = []

    from seqdis_plain import Plain

    original = Plain.loss

    def recording(self: Plain, batch: Any, *, generator: Any) -> Any:
        state = generator._generators[0].get_state()
        if self.training:
            seen.append((batch, state, generator))
        return original(self, batch, generator=generator)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plain, "loss", recording)
        trained = run(config, tmp_path / "run")
    start = _initial(config, splits(config)["train_set"])
    moments = {name: [torch.zeros_like(p), torch.zeros_like(p)] for name, p in start.named_parameters()}
    average = {name: p.detach().clone() for name, p in start.named_parameters()}
    for k, (batch, state, generator) in enumerate(seen):
        generator._generators[0].set_state(state)
        start.zero_grad()
        original(start, batch, generator=generator).loss.backward()
        norm = math.sqrt(sum(float(p.grad.double().square().sum()) for p in start.parameters()))
        rate = 1e-2 * ((k + 1) / 2 if k < 2 else 0.5 * (1 + math.cos(math.pi * (k - 2) / 4)))
        decay = min(0.9, (1 + k) / (10 + k))
        with torch.no_grad():
            for name, p in start.named_parameters():
                g = p.grad * min(1.0, 0.1 / norm)
                m, v = moments[name]
                m.mul_(0.9).add_(0.1 * g)
                v.mul_(0.999).add_(0.001 * g * g)
                p.mul_(1 - rate * 0.1)
                p.sub_(rate * (m / (1 - 0.9 ** (k + 1))) / ((v / (1 - 0.999 ** (k + 1))).sqrt() + 1e-8))
                average[name] = decay * average[name] + (1 - decay) * p
    for name, p in trained.named_parameters():
        torch.testing.assert_close(p.detach(), average[name], rtol=1e-4, atol=1e-6)


def _initial(config: RunConfig, train_set: Any) -> Disentangler:
    from seqdis.core.random import mix_seed
    from seqdis.core.training.random_state import seed_all

    seed_all(mix_seed(config.train.seed))
    model = build_model(config)
    model.normalizer.fit(train_set)
    return model


def test_the_normalizer_is_fitted_on_the_training_split(
    tmp_path: Path, plain_config: Configure, run: Run, splits: Any
) -> None:
    config = plain_config(steps=1)
    model = run(config, tmp_path / "run")
    x = splits(config)["train_set"].fetch(range(96)).x.double()
    assert float(model.normalizer.mean) == pytest.approx(float(x.mean()), abs=1e-6)
    assert float(model.normalizer.std) == pytest.approx(float(x.std(correction=0)), rel=1e-5)


def test_keeps_the_newest_and_the_best(
    tmp_path: Path, plain_config: Configure, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([3.0, 1.0, 2.0, math.nan, 1.5, 2.0])
    monkeypatch.setattr(trainer, "validation_loss", lambda *a, **k: {"loss": next(losses)})
    out = tmp_path / "run"
    run(plain_config(steps=24, eval_every=4, save_every=6, keep=2), out)
    # Saved: 4 and 8 (each the best so far), 6, 12, 18, 24.
    names = [p.name for p in list_checkpoints(out / "checkpoints")]
    assert names == ["step-00000008", "step-00000018", "step-00000024"]
    state = read_state(out / "checkpoints" / names[-1])
    assert (state.best_step, state.best_loss) == (8, 1.0)
    assert [line["val_loss"] for line in _log(out) if "val_loss" in line] == [3.0, 1.0, 2.0, None, 1.5, 2.0]


def test_a_checkpoint_has_the_raw_weights_beside_the_average(
    tmp_path: Path, plain_config: Configure, run: Run
) -> None:
    out = tmp_path / "run"
    run(plain_config(steps=6, save_every=6, ema_decay=0.5), out)
    newest = list_checkpoints(out / "checkpoints")[-1]
    average, raw = (
        load_file(newest / "model.safetensors"),
        read_tensors(newest / "trainer" / "weights.safetensors"),
    )
    assert average.keys() == raw.keys()
    assert not torch.equal(average["output.weight"], raw["output.weight"])
    moments = read_tensors(newest / "trainer" / "optimizer.safetensors")
    assert float(moments["output.weight.step"]) == 6
    assert moments["output.weight.exp_avg"].shape == raw["output.weight"].shape


def _poison(monkeypatch: pytest.MonkeyPatch, step: int, how: str) -> None:
    from seqdis_plain import Plain

    original, calls = Plain.loss, []

    def loss(self: Plain, batch: Any, *, generator: Any) -> Any:
        output = original(self, batch, generator=generator)
        calls.extend([1] * self.training)
        if not self.training or len(calls) != step:
            return output
        # The root's slope at 0 is infinite: a finite loss with a gradient that is not.
        bad = torch.tensor(math.nan) if how == "loss" else (self.output.weight * 0).sum().abs().sqrt()
        return type(output)(output.loss + bad, output.terms)

    monkeypatch.setattr(Plain, "loss", loss)


@pytest.mark.parametrize("how", ["loss", "gradient"])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_is_not_finite_stops_the_run_and_is_never_saved(
    how: str,
    at_once: bool,
    tmp_path: Path,
    plain_config: Configure,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # False is how an accelerator is watched: nobody looks before the log or a save asks.
    monkeypatch.setattr(trainer, "FiniteWatch", lambda device, **_: FiniteWatch(device, at_once=at_once))
    _poison(monkeypatch, 7, how)
    out = tmp_path / "run"
    config = plain_config(log_every=50, save_every=5, eval_every=50)
    with pytest.raises(InputError, match=rf"^step 7: the {how} is not finite; batch: (\d+, ){{7}}\d+$"):
        run(config, out)
    assert [p.name for p in list_checkpoints(out / "checkpoints")] == ["step-00000005"]
    assert all(
        v.isfinite().all() for v in read_tensors(out / "checkpoints/step-00000005/model.safetensors").values()
    )
    assert not (out / "model.safetensors").exists()


def test_a_second_run_in_the_same_folder_needs_a_word(
    tmp_path: Path, plain_config: Configure, run: Run
) -> None:
    out = tmp_path / "run"
    config = plain_config(steps=4)
    first = run(config, out)
    with pytest.raises(
        InputError, match=r"already holds a run; go on with it by --resume, or choose another folder$"
    ):
        run(config, out)
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    again = run(config, out, resume=True)
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_resume_starts_a_run_where_there_is_none(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    run(plain_config(steps=2), tmp_path / "a" / "b", resume=True)
    assert (tmp_path / "a" / "b" / "model.safetensors").is_file()


def test_loader_processes_change_nothing(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    run(plain_config(steps=4), tmp_path / "none")
    run(plain_config(steps=4, workers=2), tmp_path / "two")
    assert (tmp_path / "none/model.safetensors").read_bytes() == (
        tmp_path / "two/model.safetensors"
    ).read_bytes()


def test_bfloat16_trains_and_keeps_float32_weights(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    model = run(plain_config(steps=30, precision="bf16"), tmp_path / "run")
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    losses = [line["loss"] for line in _log(tmp_path / "run") if "loss" in line]
    assert losses[-1] < losses[0]
    exact = run(plain_config(steps=30), tmp_path / "exact")
    assert any(not torch.equal(a, b) for a, b in zip(model.parameters(), exact.parameters(), strict=True))


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for what only a machine without GPU lacks")
def test_what_the_machine_lacks_is_named(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    with pytest.raises(InputError, match=r"^device 'cuda' is not present; allowed here: cpu"):
        run(plain_config(), tmp_path / "a", device="cuda")
    with pytest.raises(InputError, match=r"^device 'tpu9' is unknown; allowed: cpu, cuda, cuda:N, mps$"):
        run(plain_config(), tmp_path / "b", device="tpu9")
    with pytest.raises(
        InputError, match=r"^train.precision 'fp16' needs a GPU; allowed on a CPU: fp32, bf16$"
    ):
        run(plain_config(precision="fp16"), tmp_path / "c")
    assert list(tmp_path.iterdir()) == []


def test_data_of_another_shape_are_refused(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    other = ArraySequences(torch.randn(9, 6, 5))
    with pytest.raises(
        InputError, match=r"^val_set: sequences of shape \(6, 5\); the configuration says \(6, 8\)$"
    ):
        run(plain_config(), tmp_path / "run", val_set=other)


def test_diffsda_trains_by_the_same_loop(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    config = get_preset("toy")
    whole = run(config, tmp_path / "whole")
    assert (tmp_path / "whole" / "previews" / "step-00000020.png").is_file()
    losses = [line["loss"] for line in _log(tmp_path / "whole") if "loss" in line]
    assert losses[-1] < losses[0]

    step = trainer.Trainer.step

    def stop(self: Any, number: int, batches: Any) -> Any:
        if number == 14:
            raise InputError("stopped")
        return step(self, number, batches)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "step", stop)
        with pytest.raises(InputError, match="stopped"):
            run(config, tmp_path / "resumed")
    resumed = run(config, tmp_path / "resumed", resume=True)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_preview_decodes_quickly_and_leaves_the_sampler_alone() -> None:
    config = get_preset("toy")
    model = build_model(
        config.model_copy(update={"model": config.model.model_copy(update={"sampler": _LONG})})
    )
    usual = model.sampling.config
    with quick_decoding(model):
        assert model.sampling.config.steps == 8
    assert model.sampling.config == usual == _LONG


def test_without_datasets_those_of_the_configuration_are_taken(
    tmp_path: Path, plain_config: Configure, run: Run
) -> None:
    config = plain_config(steps=4)
    run(config, tmp_path / "given")
    train(config, tmp_path / "own", device="cpu", show_progress=False)
    first, second = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("given", "own"))
    assert first == second


def test_datasets_and_their_folder_are_not_both_given(
    tmp_path: Path, plain_config: Configure, splits: Callable[..., Any]
) -> None:
    config = plain_config(steps=4)
    sets = splits(config)
    with pytest.raises(InputError, match="is given beside a train_set; allowed: one of the two"):
        train(config, tmp_path / "run", data=tmp_path, **sets)
    with pytest.raises(InputError, match="val_set: given without a train_set"):
        train(config, tmp_path / "run", val_set=sets["val_set"])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("pictures", "expected"), [((".svg",), ["p.svg"]), ((".gif", ".png"), ["p.png"]), ((), [])]
)
def test_a_preview_has_a_suffix_that_the_modality_draws(
    pictures: tuple[str, ...], expected: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(type(get_modality("toy")), "pictures", pictures)
    config = get_preset("toy")
    model = build_model(config).eval()
    draw_preview(model, build_dataset("toy", config.data, "val"), tmp_path / "p", seed=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == expected
