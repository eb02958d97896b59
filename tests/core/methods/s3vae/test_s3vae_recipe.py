"""S3VAE's options beyond the paper: weights of the divergences, the reversed prediction, where the information goes."""

from __future__ import annotations

import logging
import math

import pytest
import torch
from pydantic import ValidationError
from tests.core.methods.s3vae.tiny_s3vae import STEPS, cells, clips, configure, make, rows

from seqdis.core.errors import InputError
from seqdis.core.methods.s3vae import S3VAE
from seqdis.core.methods.s3vae.gradient_reversal import reverse_gradient
from seqdis.core.methods.s3vae.information_ceiling import SaturationWarning, information_ceiling
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.recurrent_gaussian import FactorPosterior
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of


def batch(count: int = 3) -> Sequences:
    return Sequences(clips(count), targets=cells(count))


def gradients(model: S3VAE, *, of: str, only: str) -> list[torch.Tensor]:
    """Gradients of one weighted term on the parameters of one layer: those with it less those without."""
    found = []
    for weight in (getattr(model.config, f"{only}_weight"), 0.0):
        model.config = model.config.model_copy(update={f"{only}_weight": weight})
        model.zero_grad()
        model.loss(batch(), generator=rows(3)).loss.backward()
        layer = getattr(model.posterior, of)
        found.append(torch.cat([p.grad.flatten().clone() for p in layer.parameters() if p.grad is not None]))
    return found


def test_defaults_are_the_papers() -> None:
    c = make().config
    assert (c.kl_static_weight, c.kl_dynamic_weight, c.reversal_weight) == (1, 1, 0)
    assert c.information_into_dynamic


def test_weights_of_the_divergences_enter_the_loss() -> None:
    off = {f"{name}_weight": 0 for name in ("consistency", "prediction", "information")}
    model = make(kl_static_weight=3.0, kl_dynamic_weight=0.5, **off)
    out = model.loss(batch(), generator=rows(3))
    t = out.terms
    torch.testing.assert_close(
        out.loss.detach(), t["reconstruction"] + 3 * t["kl_static"] + 0.5 * t["kl_dynamic"]
    )


def test_stages_move_weights_in_training_and_evaluation_keeps_those_of_the_configuration() -> None:
    model = make(kl_static_weight=3.0, reversal_weight=2.0).train()
    hooks = hooks_of(model)
    hooks.on_stage("training")
    for name, value in {"kl_static_weight": 0.25, "kl_dynamic_weight": 5.0, "reversal_weight": 7.0}.items():
        hooks.set_scheduled(name, value)
    for training, (static, dynamic, reversal) in {True: (0.25, 5.0, 7.0), False: (3.0, 1.0, 2.0)}.items():
        out = model.train(training).loss(batch(), generator=rows(3))
        t = out.terms
        wanted = t["reconstruction"] + static * t["kl_static"] + dynamic * t["kl_dynamic"]
        wanted = (
            wanted
            + 1000 * t["consistency"]
            + 100 * t["prediction"]
            + t["information"]
            + reversal * t["reversal"]
        )
        torch.testing.assert_close(out.loss.detach(), wanted)
    with pytest.raises(InputError, match="unknown moving value of s3vae 'kl_weight'"):
        hooks.set_scheduled("kl_weight", 1.0)
    with pytest.raises(InputError, match="unknown stage of s3vae 'frames'; allowed: training"):
        hooks.on_stage("frames")


def test_moving_weights_are_no_part_of_a_saved_model() -> None:
    assert not [name for name in make().state_dict() if "weight" in name and "kl" in name]


def test_the_reversed_prediction_is_a_cross_entropy_of_each_step_from_s() -> None:
    model = make(reversal_weight=2.0)
    out = model.loss(batch(), generator=rows(3))
    with torch.no_grad():
        q = model.posterior(model._features(model.to_model_space(Sequences(clips()))))
        assert model.adversary is not None
        logits = model.adversary(q.static.draw(rows(3))).double()
    log_p = (logits.exp() / logits.exp().sum(-1, keepdim=True)).log()
    goal = cells(3)["cells"]
    wanted = -sum(log_p[b, goal[b, v].argmax()] for b in range(3) for v in range(STEPS)) / (3 * STEPS)
    assert float(out.terms["reversal"]) == pytest.approx(float(wanted), rel=1e-5)


def test_the_reader_learns_to_read_what_the_encoder_learns_to_hide() -> None:
    """The gradient on the reader is that of the loss; the one on all before it has the other sign."""
    torch.manual_seed(0)
    s = torch.randn(4, 5, requires_grad=True)
    reader = torch.nn.Linear(5, 3)
    wrong = torch.arange(4) % 3
    found = []
    for seen in (s, reverse_gradient(s)):
        loss = torch.nn.functional.cross_entropy(reader(seen), wrong)
        found.append((loss, *torch.autograd.grad(loss, [s, *reader.parameters()])))
    (plain, *straight), (same, *reversed_) = found
    assert torch.equal(plain, same)
    assert torch.equal(straight[0], -reversed_[0])
    assert straight[0].abs().sum() > 0
    assert all(torch.equal(a, b) for a, b in zip(straight[1:], reversed_[1:], strict=True))


def test_the_posterior_climbs_the_loss_that_the_reader_descends() -> None:
    """The reversed prediction adds to the gradient of the posterior of ``s`` with the other sign, and scaled by its weight."""
    off = {f"{name}_weight": 0 for name in ("consistency", "prediction", "information")}
    model = make(**off, reversal_weight=7.0)
    assert model.adversary is not None
    posterior, reader = list(model.posterior.to_static.parameters()), list(model.adversary.parameters())

    def of_total() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(model.loss(batch(), generator=rows(3)).loss, [*posterior, *reader])

    with_it = of_total()
    model.config = model.config.model_copy(update={"reversal_weight": 0.0})
    without = of_total()
    q = model.posterior(model._features(model.to_model_space(Sequences(clips()))))
    guess = model.adversary(q.static.draw(rows(3))).log_softmax(1)
    loss = -(cells(3)["cells"] * guess[:, None]).sum(2).mean()
    straight = torch.autograd.grad(loss, [*posterior, *reader])
    signs = [-1] * len(posterior) + [1] * len(reader)
    for added, other, sign, one in zip(with_it, without, signs, straight, strict=True):
        torch.testing.assert_close(added - other, 7 * sign * one, atol=1e-3, rtol=1e-3)
        assert one.abs().max() > 1e-4


def test_the_information_moves_the_dynamic_factor_unless_it_is_told_not_to() -> None:
    for into, moves in ((True, True), (False, False)):
        model = make(information_into_dynamic=into, consistency_weight=0)
        with_it, without = gradients(model, of="to_dynamic", only="information")
        assert torch.allclose(with_it, without) is not moves
        model = make(information_into_dynamic=into, consistency_weight=0)
        with_it, without = gradients(model, of="to_static", only="information")
        assert not torch.allclose(with_it, without)


def test_the_share_of_the_ceiling_is_that_of_ln_nm() -> None:
    model = make()
    hooks_of(model).on_fit_start(range(300))  # type: ignore[arg-type]  # anything with a length
    t = model.loss(batch(), generator=rows(3)).terms
    assert float(t["information_share"]) == pytest.approx(
        float(t["information"]) / (STEPS * math.log(300 * 3))
    )


def test_posteriors_apart_from_one_another_reach_the_ceiling() -> None:
    """``ln NM`` a step where posteriors of neither factor overlap, wherever they are; ``ln N`` where those of ``d`` are all one."""
    model = make()
    hooks_of(model).on_fit_start(range(300))  # type: ignore[arg-type]
    apart = DiagonalGaussian(1e3 * torch.eye(3), torch.full((3, 3), -2.0))
    one = DiagonalGaussian(torch.zeros(3, 3), torch.zeros(3, 3))
    for dynamic, wanted in ((apart, math.log(900)), (one, math.log(300))):
        q = FactorPosterior(apart, DiagonalGaussian(dynamic.mean[:, None], dynamic.log_std[:, None]))
        found = model._information(q, apart.draw(rows(3)), q.dynamic.draw(rows(3, 1)))
        assert float(found) == pytest.approx(wanted, rel=1e-4)
        assert information_ceiling(sequences=300, batch=3) >= wanted - 1e-9


def test_one_warning_where_the_information_is_at_its_ceiling(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        low = SaturationWarning()
        for _ in range(500):
            low.look(torch.tensor(0.94))
        assert not caplog.records
        high = SaturationWarning()
        for _ in range(500):
            high.look(torch.tensor(0.97))
    (record,) = caplog.records
    assert "mutual information is at 0.970 of its ceiling" in record.getMessage()
    assert "information_into_dynamic=false" in record.getMessage()


def test_a_reversed_prediction_of_nothing_is_refused_and_its_target_is_asked_for() -> None:
    with pytest.raises(ValidationError, match="reversal_weight is not 0, and there is no prediction"):
        configure(prediction=None, prediction_weight=0, reversal_weight=1)
    asked = make(prediction_weight=0, reversal_weight=1.0)
    assert S3VAE.required_targets(asked.config) == ("cells",)
    assert asked.predictor is None
    with pytest.raises(ValidationError, match="kl_static_weight"):
        configure(kl_static_weight=-1)


def test_what_s_tells_of_d_is_part_of_the_loss_and_logged() -> None:
    off = {f"{name}_weight": 0 for name in ("consistency", "prediction", "information")}
    model = make(predictability_weight=3.0, **off)
    out = model.loss(batch(), generator=rows(3))
    t = out.terms
    elbo = t["reconstruction"] + t["kl_static"] + t["kl_dynamic"]
    torch.testing.assert_close(out.loss.detach(), elbo + t["reading"] + 3 * t["predictability"])
    out.loss.backward()
    assert model.predictability is not None
    assert all(p.grad is not None and p.grad.any() for p in model.predictability.reader.parameters())
    assert make().predictability is None


def test_a_stage_moves_the_weight_of_what_s_tells_of_d() -> None:
    model, off = make(predictability_weight=3.0), make(predictability_weight=3.0).train()
    hooks_of(model).set_scheduled("predictability_weight", 0.5)
    hooks_of(off).set_scheduled("predictability_weight", 0.0)
    moved = model.train().loss(batch(), generator=rows(3))
    without = off.loss(batch(), generator=rows(3)).loss
    torch.testing.assert_close(
        moved.loss - without, 0.5 * moved.terms["predictability"], rtol=1e-3, atol=1e-3
    )
    # In evaluation mode it is that of the configuration.
    untouched = make(predictability_weight=3.0).loss(batch(), generator=rows(3)).loss
    assert torch.equal(model.eval().loss(batch(), generator=rows(3)).loss, untouched)
    with pytest.raises(InputError, match=r"allowed where model\.predictability_weight is not 0"):
        hooks_of(make()).set_scheduled("predictability_weight", 1.0)


def test_with_noise_of_a_given_size_d_has_unit_power_and_draws_spread_by_it() -> None:
    model = make(dynamic_noise=0.5, predictability_weight=1.0)
    factors = model.encode(clips(64))
    torch.testing.assert_close(factors.dynamic.square().mean(2), torch.ones(64, STEPS))
    drawn = model.draw_factors(clips(64), generator=rows(64))
    assert float((drawn.dynamic - factors.dynamic).std()) == pytest.approx(0.5, rel=0.06)


def test_a_stage_moves_the_noise_in_training_alone() -> None:
    model = make(dynamic_noise=0.5)
    hooks_of(model).set_scheduled("dynamic_noise", 2.0)
    for training, std in {True: 2.0, False: 0.5}.items():
        t = model.train(training).loss(batch(), generator=rows(3)).terms
        with torch.no_grad():
            q = model._posterior(model._features(model.to_model_space(Sequences(clips()))))
            wide = q.dynamic.mean
            q.static.draw(drawn := rows(3))
            prior = model.dynamics(q.dynamic.draw(drawn))
        variance = (2 * prior.log_std).exp()
        kl = prior.log_std - math.log(std) + (std**2 + (wide - prior.mean).square()) / (2 * variance) - 0.5
        torch.testing.assert_close(t["kl_dynamic"], kl.sum((1, 2)).mean())


def test_noise_that_is_none_cannot_be_moved() -> None:
    with pytest.raises(InputError, match=r"where model\.dynamic_noise is not 0"):
        hooks_of(make()).set_scheduled("dynamic_noise", 0.5)
    with pytest.raises(InputError, match=r"dynamic_noise 0\.0; a standard deviation above 0"):
        hooks_of(make(dynamic_noise=0.5)).set_scheduled("dynamic_noise", 0.0)


def test_s_of_a_random_frame_and_the_mean_over_all_frames_after_training() -> None:
    model, x = make(static_frames="random"), clips(3)
    posterior = model.encode(x).static
    alone = torch.stack([model.encode(x[:, [step]]).static for step in range(STEPS)])
    torch.testing.assert_close(posterior, alone.mean(0), rtol=1e-4, atol=1e-5)
    shuffled = model.encode(x.flip(1)).static
    torch.testing.assert_close(
        shuffled, posterior, rtol=1e-4, atol=1e-5
    )  # an order of frames is not to be seen

    # The loss is that of one frame: with a tiny spread, its divergence is one of those of single frames.
    found = {
        round(float(model.loss(batch(1), generator=rows(1, seed)).terms["kl_static"]), 4)
        for seed in range(40)
    }
    single = {
        round(float(model.posterior(model._features(clips(1)[:, [step]])).static.kl()), 4)
        for step in range(STEPS)
    }
    assert found == single


def test_s_of_a_random_frame_reads_nothing_from_padding() -> None:
    model, x = make(static_frames="random"), clips(2)
    mask = torch.arange(STEPS) < torch.tensor([[STEPS], [2]])
    whole, cut = model.encode(Sequences(x, mask=mask)).static, model.encode(x[1:, :2]).static
    torch.testing.assert_close(whole[1:], cut, rtol=1e-4, atol=1e-5)
    draws = [
        model.loss(
            Sequences(torch.where(mask[..., None], x, fill), mask=mask, targets=cells(2)),
            generator=rows(2, seed),
        )
        for fill in (0.0, 50.0)
        for seed in range(5)
    ]
    for first, second in zip(draws[:5], draws[5:], strict=True):
        torch.testing.assert_close(first.loss, second.loss, rtol=0, atol=0)
