"""All that the golden test knows of the library's interface: one function a call, plain values in and out.

Metrics and protocols stand in ``adapter_eval.py``, what things were called before in ``conversion.py``.

The data of ``data/`` were made through this file and stay as they are. When the interface changes, only these
three files do: every function keeps its name, its arguments and what it returns. ``inputs`` are tensors and dictionaries of
tensors by name; what is returned is a dictionary, nested or not, of tensors, numbers, text and None.
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from conversion import TARGETS, convert_config, convert_prior_state, convert_sampler, convert_state
from torch import Tensor

from seqdis.core import capabilities
from seqdis.core.analysis import principal_components, swap_pairs, traverse
from seqdis.core.analysis import swap_matrix as all_swaps
from seqdis.core.analysis.generate import generate, swap_drawn
from seqdis.core.config import RunConfig, parse_config
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Extra, Factors
from seqdis.core.model_files import load_state, state_to_save
from seqdis.core.pretrained import build_model
from seqdis.core.quantize import CodeStream, pack_codes
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import get_method, get_plugin, get_sampler
from seqdis.core.sequences import Sequences
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.hooks import hooks_of
from seqdis.core.training.run_folder import RunFolder
from seqdis.core.training.trainer import Trainer

Inputs = Mapping[str, Any]


def run_config(values: Mapping[str, Any]) -> RunConfig:
    values = convert_config(values)
    model = parse_config(get_method(values["method"]).config_class, values["model"], where="golden")
    return parse_config(RunConfig, {**values, "model": model}, where="golden")


def build(config: Mapping[str, Any], state: Mapping[str, Tensor] | None = None) -> Disentangler:
    """The model of a recorded configuration, with recorded weights if any, in evaluation mode."""
    model = build_model(run_config(config))
    if state is not None:
        load_state(model, convert_state(state, config), where="golden")
    return model.eval()


def state_of(model: Disentangler) -> dict[str, Tensor]:
    """What is recorded of a model."""
    return state_to_save(model)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch_of(inputs: Inputs, keys: tuple[str, ...] = ()) -> Sequences:
    return Sequences(
        inputs["x"],
        mask=inputs.get("mask"),
        observed=inputs.get("observed"),
        keys=keys,
        targets={TARGETS.get(name, name): value for name, value in inputs.get("targets", {}).items()},
    )


def plain_of(factors: Factors) -> dict[str, Any]:
    named = {"static": factors.static, "dynamic": factors.dynamic}
    extras = {f"{extra.side} {name}": extra.value for name, extra in factors.extras.items()}
    return {**named, **({"extras": extras} if extras else {})}


def factors_of(plain: Mapping[str, Any]) -> Factors:
    extras = {}
    for name, value in plain.get("extras", {}).items():
        side, _, label = name.partition(" ")
        extras[label] = Extra(value, side)
    return Factors(plain["static"], plain["dynamic"], extras)


def _use_sampler(model: Disentangler, sampler: Mapping[str, Any] | None) -> None:
    if sampler is not None:
        assert model.sampling is not None
        model.sampling.use(get_sampler(sampler.get("kind", "edm")).config_class(**convert_sampler(sampler)))


# What a model does.


@torch.no_grad()
def encode(model: Disentangler, inputs: Inputs) -> dict[str, Any]:
    return plain_of(model.encode(batch_of(inputs)))


@torch.no_grad()
def decode(
    model: Disentangler, inputs: Inputs, *, seed: int, sampler: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    _use_sampler(model, sampler)
    frames = model.decode(factors_of(inputs["factors"]), noise=inputs.get("noise"), generator=seeded(seed))
    return {"x": frames}


@torch.no_grad()
def invert(
    model: Disentangler, inputs: Inputs, *, sampler: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The noise of sequences given their own factors."""
    _use_sampler(model, sampler)
    factors = model.encode(batch_of(inputs))
    return {"noise": capabilities.invert(model, batch_of(inputs), factors)}


def reconstruct(model: Disentangler, inputs: Inputs, *, seed: int) -> dict[str, Any]:
    x = model.reconstruct(batch_of(inputs), generator=seeded(seed))
    return {"x": x}


def swap(model: Disentangler, inputs: Inputs, *, seed: int, extra: str | None = None) -> dict[str, Any]:
    """Static factors of ``x`` with the dynamics of ``other``."""
    x = model.swap(*_pair(inputs), extra=extra, generator=seeded(seed))
    return {"x": x}


def mix_extra(model: Disentangler, inputs: Inputs, *, name: str, seed: int | None = None) -> dict[str, Any]:
    """The first factors with one extra of the others; drawn with a seed, the most likely without."""
    generator = None if seed is None else seeded(seed)
    mixed = capabilities.mix_extra(
        model, factors_of(inputs["factors"]), factors_of(inputs["other"]), name, generator=generator
    )
    return plain_of(mixed)


def loss(
    model: Disentangler,
    inputs: Inputs,
    *,
    seed: int,
    training: bool,
    stage: str | None = None,
    scheduled: Mapping[str, float] | None = None,
    keys: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The loss, its terms, and the norm of the gradient of all parameters together."""
    if stage is not None:
        hooks_of(model).on_stage(stage)
    for name, value in (scheduled or {}).items():
        hooks_of(model).set_scheduled(name, value)
    model.train(training)
    count = len(inputs["x"])
    out = model.loss(
        batch_of(inputs, tuple(keys)), generator=GeneratorStack.shard(seed, count, slice(0, count))
    )
    out.loss.backward()
    squares = [p.grad.double().square().sum() for p in model.parameters() if p.grad is not None]
    return {
        "loss": float(out.loss.detach()),
        "terms": {name: float(value) for name, value in out.terms.items()},
        "gradient_norm": float(torch.stack(squares).sum().sqrt()),
    }


def encode_stage(model: Disentangler, inputs: Inputs, *, stage: str) -> dict[str, Any]:
    """What a model gives that was stopped in a stage of its training."""
    hooks_of(model).on_stage(stage)
    return encode(model, inputs)


@torch.no_grad()
def curves(model: Disentangler, inputs: Inputs, *, seed: int) -> dict[str, Any]:
    count = len(inputs["x"])
    found = hooks_of(model).curves(
        batch_of(inputs), generator=GeneratorStack.shard(seed, count, slice(0, count))
    )
    return {name: {"x": curve.x, "y": curve.y} for name, curve in found.items()}


def own_prior(
    model: Disentangler, inputs: Inputs, *, count: int, seed: int, steps: int | None = None
) -> dict[str, Any]:
    """Draws of the prior that was learnt with the model."""
    prior = capabilities.learned_prior(model)
    assert prior is not None
    return plain_of(prior.sample(count, generator=seeded(seed), steps=steps))


def own_conditional(model: Disentangler, inputs: Inputs, *, side: str, seed: int) -> dict[str, Any]:
    """One side of given factors drawn anew."""
    prior = capabilities.learned_prior(model)
    assert prior is not None
    draw = prior.sample_static if side == "static" else prior.sample_dynamic
    return plain_of(
        draw(capabilities.decoded_part(model, factors_of(inputs["factors"])), generator=seeded(seed))
    )


def decoded_part(model: Disentangler, inputs: Inputs) -> dict[str, Any]:
    return plain_of(capabilities.decoded_part(model, factors_of(inputs["factors"])))


# Analyses.


def _pair(inputs: Inputs) -> tuple[Sequences, Sequences]:
    second = {
        "x": inputs["other"],
        "mask": inputs.get("other_mask"),
        "observed": inputs.get("other_observed"),
    }
    return batch_of(inputs), batch_of(second)


def pairs(model: Disentangler, inputs: Inputs, *, seed: int, extra: str | None = None) -> dict[str, Any]:
    """Both reconstructions and both swaps of ``x`` and ``other``."""
    found = swap_pairs(model, *_pair(inputs), extra=extra, generator=seeded(seed))
    return {
        "reconstruction_a": found.a_reconstructed,
        "reconstruction_b": found.b_reconstructed,
        "swap_a_b": found.a_static_b_dynamic,
        "swap_b_a": found.b_static_a_dynamic,
    }


def swap_matrix(model: Disentangler, inputs: Inputs, *, seed: int) -> dict[str, Any]:
    return {"x": all_swaps(model, batch_of(inputs), generator=seeded(seed)).frames}


def traversal(
    model: Disentangler, inputs: Inputs, *, factor: str, component: int, amounts: list[float], seed: int
) -> dict[str, Any]:
    """Along a principal component of the factors ``samples``."""
    components = principal_components(factors_of(inputs["samples"]), factor)  # type: ignore[arg-type]
    found = traverse(
        model,
        batch_of(inputs),
        components,
        component=component,
        amounts=torch.tensor(amounts),
        generator=seeded(seed),
    )
    return {"explained": components.explained, "factors": plain_of(found.factors), "x": found.frames}


def generated(model: Disentangler, inputs: Inputs, *, count: int, seed: int) -> dict[str, Any]:
    prior = capabilities.learned_prior(model)
    assert prior is not None
    return {"x": generate(model, prior, count, generator=seeded(seed)).frames}


def drawn_swap(model: Disentangler, inputs: Inputs, *, keep: str, count: int, seed: int) -> dict[str, Any]:
    """Sequence 0 with one factor kept and the other drawn."""
    prior = capabilities.learned_prior(model)
    assert prior is not None
    first = Sequences(inputs["x"][:1])
    found = swap_drawn(model, prior, first, keep=keep, count=count, generator=seeded(seed))  # type: ignore[arg-type]
    return {"x": found.frames, "reconstructed": found.reconstructed}


def stream(model: Disentangler, inputs: Inputs, *, coding: str, fps: float) -> dict[str, Any]:
    """Codes of each sequence as the bytes of a file."""
    book = capabilities.codebook_of(model)
    assert book is not None
    codes = factors_of(inputs["factors"]).extras["codes"].value
    packed = [pack_codes(CodeStream(c, book.shape[1], fps), coding=coding) for c in codes]  # type: ignore[arg-type]
    return {str(i): {"coding": p.coding, "bytes": p.data.hex(), "kbps": p.kbps} for i, p in enumerate(packed)}


# Training.


def train(
    config: Mapping[str, Any], state: Mapping[str, Tensor], inputs: Inputs, *, seed: int
) -> dict[str, Any]:
    """A few steps of the trainer on ``x`` from the recorded weights, with a normaliser fitted to ``x``.

    Returned are the log, and what the trained model and its moving average make of ``probe``.
    """
    run = run_config(config)
    data = ArraySequences(inputs["x"], mask=inputs.get("mask"), observed=inputs.get("observed"))
    with tempfile.TemporaryDirectory() as name, torch.random.fork_rng(devices=[]):
        folder = RunFolder(Path(name) / "run")
        folder.root.mkdir()
        folder.open(run)
        trainer = Trainer(
            run,
            folder,
            train_set=data,
            val_set=None,
            accelerator=make_accelerator(run.train, "cpu"),
        )
        fitted = {k: v.clone() for k, v in trainer.module.normalizer.state_dict().items()}
        load_state(trainer.module, convert_state(state, config), where="golden")
        trainer.module.normalizer.load_state_dict(fitted)
        with torch.no_grad():
            for average, parameter in zip(trainer.ema._averages, trainer.ema._parameters, strict=True):
                average.copy_(parameter)
        trainer.run(show_progress=False)
        lines = [json.loads(line) for line in (folder.root / "log.jsonl").read_text().splitlines()]
        kept = ("loss", "grad_norm", "learning_rate")
        log = {str(line["step"]): {k: line[k] for k in kept} for line in lines if "loss" in line}
        last = trainer.module
        averaged = Disentangler.from_pretrained(folder.root)
        found: dict[str, Any] = {"log": log, "normalizer": fitted}
        for label, model in (("last", last), ("averaged", averaged)):
            model.eval()
            parameters = list(model.parameters())
            found[label] = {
                "factors": encode(model, {"x": inputs["probe"]}),
                "loss": loss(copy.deepcopy(model), {"x": inputs["probe"]}, seed=seed, training=False)["loss"],
                "sum": sum(float(p.detach().double().sum()) for p in parameters),
                "squares": sum(float(p.detach().double().square().sum()) for p in parameters),
            }
    return found


# Priors.


def new_prior(
    kind: str, options: Mapping[str, Any], factors: Mapping[str, Any], codebook: Tensor | None
) -> Any:
    prior_class = get_plugin("priors", kind)
    config = parse_config(prior_class.config_class, options, where="golden")
    return prior_class.for_factors(config, factors_of(factors), codebook=codebook)


def fit_prior(
    inputs: Inputs, *, kind: str, options: Mapping[str, Any], count: int, seed: int
) -> dict[str, Any]:
    """A prior with the recorded first weights, fitted for a few steps, and what it draws then."""
    prior = new_prior(kind, options, inputs["factors"], inputs.get("codebook"))
    prior.load_state_dict(convert_prior_state(inputs["weights"], kind))
    losses = prior.fit(factors_of(inputs["factors"]))
    given = factors_of(inputs["factors"])[:count]
    found = {
        "losses": losses,
        "sample": plain_of(prior.sample(count, generator=seeded(seed))),
        "static": plain_of(prior.sample_static(given, generator=seeded(seed))),
        "dynamic": plain_of(prior.sample_dynamic(given, generator=seeded(seed))),
        "independent": plain_of(prior.sample_static(given, generator=seeded(seed), independent=True)),
    }
    if kind == "autoregressive":
        found["log_likelihood"] = prior.log_likelihood(factors_of(inputs["factors"]))
        found["longer"] = plain_of(prior.sample(count, generator=seeded(seed), steps=given.steps + 3))
    return found
