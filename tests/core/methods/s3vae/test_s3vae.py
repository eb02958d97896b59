"""S3VAE: its loss against formulas written out by hand, and a toy model whose likelihood is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import stats
from tests.core.methods.s3vae.tiny_s3vae import FRAME, STEPS, cells, clips, configure, make, rows
from torch import Tensor, nn

from seqdis.core.capabilities import draw_factors
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.s3vae import S3VAE
from seqdis.core.methods.s3vae.config import PredictionConfig
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.recurrent_gaussian import FactorPosterior
from seqdis.core.pretrained import build_model
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of

# The interface.


def test_shapes_and_lengths() -> None:
    model = make()
    factors = model.encode(clips(2, 9))
    assert factors.static.shape == (2, 5)
    assert factors.dynamic.shape == (2, 9, 3)
    assert model.decode(factors).shape == (2, 9, FRAME)


def test_a_sequence_is_treated_alone() -> None:
    model, x = make(), clips(4)
    together, alone = model.reconstruct(x), model.reconstruct(x[:1])
    torch.testing.assert_close(together[:1], alone)


def test_draws_scatter_around_what_encode_gives_by_the_posteriors_deviation() -> None:
    model, x = make(), clips(1)
    drawn = draw_factors(model, x.expand(4000, -1, -1), generator=torch.Generator().manual_seed(0))
    assert drawn is not None
    mean, q = model.encode(x), model.posterior(model._features(model.to_model_space(Sequences(x))))
    for got, wanted, spread in (
        (drawn.static, mean.static, q.static.std),
        (drawn.dynamic, mean.dynamic, q.dynamic.std),
    ):
        torch.testing.assert_close(got.mean(0), wanted[0], atol=0.1, rtol=0)
        torch.testing.assert_close(got.std(0), spread[0].detach(), atol=0, rtol=0.1)


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    model = make()
    model.save_pretrained(tmp_path / "m")
    again = Disentangler.from_pretrained(tmp_path / "m")
    torch.testing.assert_close(again.reconstruct(clips()), model.reconstruct(clips()), rtol=0, atol=0)


def test_a_sigmoid_keeps_frames_in_0_to_1() -> None:
    frames = make(output="sigmoid").decode(Factors(50 * torch.randn(2, 5), 50 * torch.randn(2, 4, 3)))
    assert frames.min() >= 0
    assert frames.max() <= 1


def test_its_own_prior_is_a_standard_normal_and_the_lstm_of_any_length() -> None:
    model = make()
    prior = model.learned_prior()
    drawn = prior.sample(2000, generator=torch.Generator().manual_seed(0), steps=2)
    assert abs(float(drawn.static.mean())) < 0.03
    assert abs(float(drawn.static.std()) - 1) < 0.03
    first = model.dynamics(torch.zeros(1, 1, 3))
    assert torch.allclose(drawn.dynamic[:, 0].mean(0), first.mean[0, 0], atol=0.12)
    assert torch.allclose(drawn.dynamic[:, 0].std(0), first.std[0, 0], rtol=0.1)
    assert prior.sample(1, generator=torch.Generator()).steps == STEPS
    assert model.decode(prior.sample(2, generator=torch.Generator(), steps=40)).shape == (2, 40, FRAME)


def test_factors_of_another_model_are_refused() -> None:
    with pytest.raises(InputError, match=r"factors of widths \(\(4,\), 3\); the model's are \(\(5,\), 3\)"):
        make().decode(Factors(torch.zeros(1, 4), torch.zeros(1, 2, 3)))


# The terms of the loss.


def test_the_loss_is_the_weighted_sum_of_its_terms() -> None:
    model = make(consistency_weight=3.0, prediction_weight=5.0, information_weight=7.0)
    out = model.loss(Sequences(clips(), targets=cells(3)), generator=rows(3))
    t = out.terms
    elbo = t["reconstruction"] + t["kl_static"] + t["kl_dynamic"]
    wanted = elbo + 3 * t["consistency"] + 5 * t["prediction"] + 7 * t["information"]
    torch.testing.assert_close(out.loss.detach(), wanted)


@pytest.mark.parametrize("name", ["consistency", "prediction", "information"])
def test_a_weight_of_0_switches_a_term_off(name: str) -> None:
    model = make(**{f"{name}_weight": 0})
    out = model.loss(Sequences(clips(), targets=cells(3)), generator=rows(3))
    rest = {"consistency", "prediction", "information"} - {name}
    rest |= {"information_share"} if "information" in rest else set()
    assert set(out.terms) == {"reconstruction", "kl_static", "kl_dynamic"} | rest
    assert S3VAE.required_targets(model.config) == (() if name == "prediction" else ("cells",))


def test_the_baseline_needs_no_targets() -> None:
    """All three off is the paper's baseline, the sequential VAE alone."""
    off = {f"{name}_weight": 0 for name in ("consistency", "prediction", "information")}
    out = make(**off, prediction=None).loss(Sequences(clips()), generator=rows(3))
    assert set(out.terms) == {"reconstruction", "kl_static", "kl_dynamic"}


def test_the_elbo_is_equation_5_by_scipy() -> None:
    model = make(frame_std=0.7)
    x = clips(2)
    y = model.to_model_space(Sequences(x))
    with torch.no_grad():
        q = model.posterior(model._features(y))
        s, d = q.static.draw(rows(2, 1)), q.dynamic.draw(rows(2, 2))
        terms = model.negative_elbo(y, q, s, d)
        z = torch.cat([s[:, None].expand(-1, STEPS, -1), d], 2)
        mean = model.frame_decoder(z.flatten(0, 1)).view(2, STEPS, FRAME)
        p = model.dynamics(d)
    likelihood = stats.norm.logpdf(y.numpy(), mean.numpy(), 0.7).sum((1, 2))
    np.testing.assert_allclose(terms["reconstruction"].numpy(), -likelihood, rtol=1e-5)
    for name, (mean_q, std_q, mean_p, std_p) in {
        "kl_static": (q.static.mean, q.static.std, torch.zeros(2, 5), torch.ones(2, 5)),
        "kl_dynamic": (q.dynamic.mean, q.dynamic.std, p.mean, p.std),
    }.items():
        m, v, mp, vp = (a.double().numpy() for a in (mean_q, std_q**2, mean_p, std_p**2))
        kl = 0.5 * (v / vp + (m - mp) ** 2 / vp - 1 + np.log(vp / v))
        np.testing.assert_allclose(terms[name].numpy(), kl.reshape(2, -1).sum(1), rtol=1e-4)


def test_the_prediction_is_a_cross_entropy_and_still_steps_do_not_count() -> None:
    model = make(consistency_weight=0, information_weight=0)
    targets = cells(2)
    targets["cells"][1] = 0
    targets["cells"][0, 0] = torch.tensor([0.5, 0.0, 0.5, 0.0])
    x = clips(2)
    out = model.loss(Sequences(x, targets=targets), generator=rows(2))
    generator = rows(2)
    with torch.no_grad():
        q = model.posterior(model._features(model.to_model_space(Sequences(x))))
        q.static.draw(generator)
        assert model.predictor is not None
        logits = model.predictor(q.dynamic.draw(generator))
        soft = logits.double().softmax(-1).log()
    wanted = -0.5 * (soft[0, 0, 0] + soft[0, 0, 2]) - sum(soft[0, v, v % 4] for v in range(1, STEPS))
    assert float(out.terms["prediction"]) == pytest.approx(float(wanted) / STEPS / 2, rel=1e-5)


@pytest.mark.parametrize("loss", ["binary", "squared"])
def test_the_other_two_predictions(loss: str) -> None:
    model = make(prediction=PredictionConfig(target="cells", width=4, loss=loss))  # type: ignore[arg-type]
    out = model.loss(Sequences(clips(), targets=cells(3)), generator=rows(3))
    generator = rows(3)
    with torch.no_grad():
        q = model.posterior(model._features(model.to_model_space(Sequences(clips()))))
        q.static.draw(generator)
        assert model.predictor is not None
        logits = model.predictor(q.dynamic.draw(generator)).double()
    goal = cells(3)["cells"]
    chance = 1 / (1 + (-logits).exp())
    by_hand = {
        "binary": -(goal * chance.log() + (1 - goal) * (1 - chance).log()),
        "squared": (logits - goal) ** 2,
    }
    assert float(out.terms["prediction"]) == pytest.approx(float(by_hand[loss].mean()), rel=1e-5)


def test_missing_and_misshapen_targets_are_named() -> None:
    model = make()
    with pytest.raises(InputError, match="s3vae predicts the target 'cells'; the batch has: none"):
        model.loss(Sequences(clips()), generator=rows(3))
    with pytest.raises(
        InputError, match=r"target 'cells': shape \(3, 6, 5\); model.prediction.width says \(3, 6, 4\)"
    ):
        model.loss(Sequences(clips(), targets=cells(3, width=5)), generator=rows(3))


def test_to_predict_nothing_with_a_weight_is_refused() -> None:
    with pytest.raises(ValidationError, match="prediction_weight is not 0, and there is no prediction"):
        configure(prediction=None)


def test_the_information_is_that_of_the_dataset_it_met() -> None:
    model = make()
    batch = Sequences(clips(), targets=cells(3))
    alone = model.loss(batch, generator=rows(3)).terms["information"]
    hooks_of(model).on_fit_start(range(300))  # type: ignore[arg-type]  # anything with a length
    met = model.loss(batch, generator=rows(3)).terms["information"]
    # N enters as ln N once a step, and the batch stood in for the data before.
    assert float(met - alone) == pytest.approx(STEPS * math.log(100), rel=1e-4)


# The triplet.


class Told(nn.Module):
    """A posterior whose static mean is the first frame's features, without spread."""

    def forward(self, features: Tensor, *_: object) -> FactorPosterior:
        def sharp(mean: Tensor) -> DiagonalGaussian:
            return DiagonalGaussian(mean, torch.full_like(mean, -20.0))

        return FactorPosterior(sharp(features[:, 0, :5]), sharp(features[..., :3]))


def told(**changes: Any) -> S3VAE:
    model = make(prediction_weight=0, information_weight=0, **changes)
    model.posterior = Told()
    model.frame_encoder = nn.Identity()
    return model


def still(values: list[float]) -> Tensor:
    """Clips of one value each that do not move."""
    return torch.tensor(values)[:, None, None].expand(-1, STEPS, FRAME).clone()


def test_the_triplet_of_clips_that_stand_still() -> None:
    """Shuffling changes nothing, and the negative is the other clip: max(0 − √5·|a − b| + m, 0)."""
    model = told(margin=4.0)
    out = model.loss(Sequences(still([0.0, 0.5])), generator=rows(2))
    assert float(out.terms["consistency"]) == pytest.approx(4 - math.sqrt(5) * 0.5, rel=1e-5)
    far = model.loss(Sequences(still([0.0, 5.0])), generator=rows(2))
    assert float(far.terms["consistency"]) == 0


def test_the_negative_is_never_the_clip_itself_nor_another_visit_of_it() -> None:
    model = told(margin=100.0)
    x = still([0.0, 0.0, 1.0, 1.0])
    for seed in range(20):
        out = model.loss(Sequences(x, keys=["a", "a", "b", "b"]), generator=rows(4, seed))
        assert float(out.terms["consistency"]) == pytest.approx(100 - math.sqrt(5), rel=1e-5)


def test_all_other_clips_serve_as_negatives() -> None:
    model = told(margin=100.0)
    seen = set()
    for seed in range(40):
        out = model.loss(Sequences(still([0.0, 1.0, 3.0])), generator=rows(3, seed))
        seen.add(round(float((100 - out.terms["consistency"]) * 3 / math.sqrt(5)), 3))
    # Distances: 0 to 1 or 3; 1 to 0 or 3; 3 to 0 or 1.
    assert seen == {a + b + c for a in (1.0, 3.0) for b in (1.0, 2.0) for c in (2.0, 3.0)}


def test_the_positive_is_the_clip_with_its_frames_in_another_order() -> None:
    """Told reads the first frame: after shuffling any frame can be it."""
    model = told(margin=100.0)
    x = still([0.0, 0.0])
    x[0] += torch.arange(STEPS)[:, None]
    near = set()
    for seed in range(60):
        out = model.loss(Sequences(x), generator=rows(2, seed))
        near.add(round(float((out.terms["consistency"] - 100) * 2 / math.sqrt(5)), 2))
    assert near == {float(v) for v in range(STEPS)}


@pytest.mark.parametrize("keys", [["a"], ["a", "a"]])
def test_without_another_clip_there_is_no_triplet(keys: list[str]) -> None:
    out = told(margin=100.0).loss(Sequences(still([1.0] * len(keys)), keys=keys), generator=rows(len(keys)))
    assert float(out.terms["consistency"]) == 0


def test_a_batch_of_one_has_the_estimators_constant_for_information() -> None:
    out = make(prediction_weight=0).loss(Sequences(clips(1)), generator=rows(1))
    assert float(out.terms["information"]) == pytest.approx(0, abs=1e-3)  # N = M = 1


# Learning.


def test_it_learns_the_toy_modality_and_swaps_it(few_updates: Callable[..., list[float]]) -> None:
    from seqdis.core.registry import build_dataset

    config = configure(
        static_dim=4, dynamic_dim=2, prediction_weight=0, frame_std=0.1, layer_norm=True, consistency_weight=10
    )  # fmt: skip
    torch.manual_seed(0)
    model = build_model(config)
    data = build_dataset("toy", config.data, "train")
    model.normalizer.fit(data)
    hooks_of(model).on_fit_start(data)
    few_updates(model, data, steps=150, lr=1e-2)
    x = build_dataset("toy", config.data, "test").fetch(range(48)).x
    assert (model.reconstruct(x) - x).square().mean() < 0.05 * x.var()
    # Four channels hold the level, which is static, and four the ramp, which is not.
    lender = x.roll(1, dims=0)
    swapped = model.swap(static=x, dynamic=lender)
    assert (swapped[..., :4] - x[..., :4]).square().mean() < 0.05 * x[..., :4].var()
    assert (swapped[..., 4:] - lender[..., 4:]).square().mean() < 0.05 * x[..., 4:].var()
