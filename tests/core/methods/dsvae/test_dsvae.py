"""DSVAE: its bound against formulas written out by hand, its prior, and what the two posteriors read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.dsvae import DSVAE, DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences

FRAME, STEPS, S, D = 8, 6, 5, 3
MLP = BackboneConfig(kind="mlp", channels=32, multipliers=(1,))
BOTH = pytest.mark.parametrize("posterior", ["full", "factorised"])
Posterior = Literal["full", "factorised"]


def configure(**changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "static_dim": S,
        "dynamic_dim": D,
        "features": 16,
        "hidden_dim": 16,
        "encoder": MLP,
        "decoder": MLP,
        "output": "linear",
    }
    return RunConfig(
        preset="tiny",
        modality="toy",
        method="dsvae",
        data=DataConfig(dataset="ramps", length=STEPS, frame_shape=(FRAME,)),
        model=DSVAEConfig(**(values | changes)),
        train=TrainConfig(steps=1),
    )


def make(**changes: Any) -> DSVAE:
    torch.manual_seed(0)
    model = build_model(configure(**changes)).eval()
    assert isinstance(model, DSVAE)
    return model


def clips(count: int = 3, steps: int = STEPS) -> Tensor:
    return torch.randn(count, steps, FRAME, generator=torch.Generator().manual_seed(5))


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))


def divergence(m: Tensor, std: Tensor, mp: Tensor, std_p: Tensor) -> np.ndarray:
    """``½ Σ [lv_p − lv_q + (e^{lv_q} + (μ_q − μ_p)²)/e^{lv_p} − 1]`` of each sequence, in float64."""
    a, v, b, w = (t.double().numpy() for t in (m, std**2, mp, std_p**2))
    return np.asarray((0.5 * (np.log(w) - np.log(v) + (v + (a - b) ** 2) / w - 1)).reshape(len(a), -1).sum(1))


@BOTH
def test_the_loss_is_the_negative_elbo_by_scipy(posterior: Posterior) -> None:
    model, x = make(posterior=posterior, frame_std=0.7), clips(2)
    out = model.loss(Sequences(x), generator=rows(2))
    generator = rows(2)
    with torch.no_grad():
        y = model.to_model_space(Sequences(x))
        features = model.frame_encoder(y.flatten(0, 1)).view(2, STEPS, -1)
        lengths = torch.full((2,), STEPS)
        q_s = model.static_posterior(features, lengths)
        s = q_s.draw(generator)
        q_d = model.dynamic_posterior(features, s, lengths)
        d = q_d.draw(generator)
        z = torch.cat([s[:, None].expand(-1, STEPS, -1), d], 2)
        mean = model.frame_decoder(z.flatten(0, 1)).view(2, STEPS, FRAME)
        # The prior of each step reads the posterior's draws of the steps before it.
        p = model.dynamics(d)
    by_hand = {
        "reconstruction": -stats.norm.logpdf(y.numpy(), mean.numpy(), 0.7).sum((1, 2)),
        "kl_static": divergence(q_s.mean, q_s.std, torch.zeros(2, S), torch.ones(2, S)),
        "kl_dynamic": divergence(q_d.mean, q_d.std, p.mean, p.std),
    }
    for name, value in by_hand.items():
        assert float(out.terms[name]) == pytest.approx(float(value.mean()), rel=1e-4)
    assert float(out.loss.detach()) == pytest.approx(float(sum(by_hand.values()).mean()), rel=1e-4)


def test_each_divergence_has_its_weight() -> None:
    out = make(kl_static_weight=3.0, kl_dynamic_weight=5.0).loss(Sequences(clips()), generator=rows(3))
    t = out.terms
    wanted = t["reconstruction"] + 3 * t["kl_static"] + 5 * t["kl_dynamic"]
    torch.testing.assert_close(out.loss.detach(), wanted)


def test_the_sum_of_squares_is_the_likelihood_of_the_default_width() -> None:
    model, x = make(), clips(1)
    _, s, d = model.infer(x)
    q, _, _ = model.infer(x)
    found = model.negative_elbo(x, q, s, d)["reconstruction"]
    squares = (x - model._frames(s, d)).square().sum()
    constant = STEPS * FRAME * 0.5 * np.log(np.pi)
    assert float(found.detach()) == pytest.approx(float(squares.detach() + constant), rel=1e-5)


def test_a_factorised_step_reads_its_own_frame_and_a_full_one_the_clip() -> None:
    x = clips(1)
    moved = x.clone()
    moved[:, -1] += 1
    for posterior, steps in (("factorised", {STEPS - 1}), ("full", set(range(STEPS)))):
        model = make(posterior=posterior)
        before, after = (model.encode(frames).dynamic[0] for frames in (x, moved))
        assert {v for v in range(STEPS) if not torch.equal(before[v], after[v])} == steps


def test_only_the_full_form_reads_the_static_factor() -> None:
    features, lengths = torch.randn(2, STEPS, 16), torch.full((2,), STEPS)
    for posterior, reads in (("factorised", False), ("full", True)):
        q = make(posterior=posterior).dynamic_posterior
        first, second = (q(features, s, lengths).mean for s in (torch.zeros(2, S), torch.ones(2, S)))
        assert torch.equal(first, second) is not reads


@BOTH
def test_the_static_factor_reads_both_ends(posterior: Posterior) -> None:
    model, x = make(posterior=posterior), clips(1)
    static = model.encode(x).static
    for end in (0, -1):
        moved = x.clone()
        moved[:, end] += 1
        assert not torch.equal(model.encode(moved).static, static)


def test_its_prior_is_a_standard_normal_and_the_lstm_of_any_length() -> None:
    model = make()
    prior = model.learned_prior()
    drawn = prior.sample(2000, generator=torch.Generator().manual_seed(0), steps=2)
    assert abs(float(drawn.static.mean())) < 0.03
    assert abs(float(drawn.static.std()) - 1) < 0.03
    first = model.dynamics(torch.zeros(1, 1, D))
    assert torch.allclose(drawn.dynamic[:, 0].mean(0), first.mean[0, 0], atol=0.12)
    assert torch.allclose(drawn.dynamic[:, 0].std(0), first.std[0, 0], rtol=0.1)
    assert prior.sample(1, generator=torch.Generator()).steps == STEPS
    assert model.decode(prior.sample(2, generator=torch.Generator(), steps=40)).shape == (2, 40, FRAME)


def test_what_the_prior_rolls_out_is_what_it_gives_a_density() -> None:
    """Scaled by its own mean and deviation at each step, a roll-out is white noise."""
    model = make()
    with torch.no_grad():
        model.dynamics.to_parameters.weight.mul_(4)
        d = model.learned_prior().sample(4000, generator=torch.Generator().manual_seed(1), steps=4).dynamic
        p = model.dynamics(d)
        white = ((d - p.mean) / p.std).flatten(1)
    assert torch.allclose(white.T.cov(), torch.eye(4 * D), atol=0.08)
    assert white.mean(0).abs().max() < 0.08


@BOTH
def test_saved_and_loaded_it_is_the_same(posterior: Posterior, tmp_path: Path) -> None:
    model = make(posterior=posterior)
    model.save_pretrained(tmp_path / "m")
    again = Disentangler.from_pretrained(tmp_path / "m")
    torch.testing.assert_close(again.reconstruct(clips()), model.reconstruct(clips()), rtol=0, atol=0)


def test_a_sequence_is_treated_alone() -> None:
    model, x = make(), clips(4)
    torch.testing.assert_close(model.reconstruct(x)[:1], model.reconstruct(x[:1]))


def test_a_sigmoid_keeps_frames_in_0_to_1() -> None:
    frames = make(output="sigmoid").decode(Factors(50 * torch.randn(2, S), 50 * torch.randn(2, 4, D)))
    assert frames.min() >= 0
    assert frames.max() <= 1


def test_factors_of_another_model_are_refused() -> None:
    with pytest.raises(InputError, match=r"factors of widths \(4, 3\); allowed: \(5, 3\)"):
        make().decode(Factors(torch.zeros(1, 4), torch.zeros(1, 2, D)))


@BOTH
def test_it_learns_the_toy_modality(few_updates: Callable[..., list[float]], posterior: Posterior) -> None:
    from seqdis.core.registry import build_dataset

    config = configure(posterior=posterior, static_dim=4, dynamic_dim=2, frame_std=0.1, layer_norm=True)
    torch.manual_seed(0)
    model = build_model(config)
    data = build_dataset("toy", config.data, "train")
    model.normalizer.fit(data)
    few_updates(model, data, steps=150, lr=1e-2)
    x = build_dataset("toy", config.data, "test").fetch(range(48)).x
    assert (model.reconstruct(x) - x).square().mean() < 0.05 * x.var()
    # Four channels hold the ramp: it follows whoever lends the dynamics.
    lender = x.roll(1, dims=0)
    swapped = model.swap(static=x, dynamic=lender)
    assert (swapped[..., 4:] - lender[..., 4:]).square().mean() < 0.2 * x[..., 4:].var()
