from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from tests.core.methods.vdsm.tiny_vdsm import ACTION, EXPERTS, POSE, SIDE, STEPS, clips, make, rows
from torch import Tensor

from seqdis.core.analysis import swap_pairs
from seqdis.core.capabilities import draw_factors, mix_extra
from seqdis.core.data.identities import IDENTITY, IDENTITY_OBSERVED
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.model_files import state_to_save
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.random import GeneratorStack, randn
from seqdis.core.registry import get_modality, list_methods
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of


@pytest.fixture
def pixels(_toy_modality: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy's frames are said to be pixels."""
    monkeypatch.setattr(type(get_modality("toy")), "uint8_storage", True)


def test_generation_of_any_length_begins_alike() -> None:
    model = make()
    prior = model.learned_prior()
    drawn = prior.sample(4, generator=torch.Generator().manual_seed(0), steps=40)
    assert model.decode(drawn).shape == (4, 40, 3, SIDE, SIDE)
    short = prior.sample(2, generator=torch.Generator().manual_seed(0))
    assert short.steps == STEPS
    torch.testing.assert_close(short.dynamic, drawn.dynamic[:2, :STEPS])


def test_the_method_is_found_by_name() -> None:
    assert "vdsm" in list_methods()


def test_shapes_and_sides() -> None:
    model = make()
    factors = model.encode(clips())
    assert factors.static.shape == (3, EXPERTS)
    assert factors.dynamic.shape == (3, STEPS, POSE)
    assert factors.extras["action"].value.shape == (3, ACTION)
    assert factors.extras["action"].side == "dynamic"
    assert model.decode(factors).shape == (3, STEPS, 3, SIDE, SIDE)
    assert model.encode(clips(steps=11)).steps == 11


def test_the_identity_does_not_depend_on_the_order_of_frames() -> None:
    model = make()
    torch.testing.assert_close(model.encode(clips()).static, model.encode(clips().flip(1)).static)


def test_the_mixture_is_a_softmax_that_a_low_temperature_peaks() -> None:
    model = make()
    s = torch.randn(4, EXPERTS)
    torch.testing.assert_close(model.mixture(s), torch.softmax(s, dim=1))
    hooks_of(model).set_scheduled("temperature", 0.01)
    assert model.mixture(s).amax(1).min() > 0.99
    hooks_of(model).set_scheduled("temperature", 100.0)
    torch.testing.assert_close(model.mixture(s), torch.full((4, EXPERTS), 1 / EXPERTS), atol=0.02, rtol=0)


def test_likelihoods_against_torch_distributions(pixels: None) -> None:
    x, out = clips(), torch.randn(3, STEPS, 3, SIDE, SIDE)
    hard = (x > 0.5).float()
    bernoulli = torch.distributions.Bernoulli(logits=out).log_prob(hard).flatten(2).sum(2)
    torch.testing.assert_close(make(likelihood="bernoulli").log_likelihood(Sequences(hard), out), bernoulli)
    model = make()
    model.normalizer.mean.fill_(0.4)
    model.normalizer.std.fill_(0.3)
    normal = torch.distributions.Normal(out, 0.2).log_prob(model.normalizer(x)).flatten(2).sum(2)
    torch.testing.assert_close(model.log_likelihood(Sequences(x), out), normal)
    model = make(likelihood="laplace")
    laplace = torch.distributions.Laplace(out, 0.2 / 2**0.5)
    assert laplace.stddev.mean().item() == pytest.approx(0.2)
    torch.testing.assert_close(
        model.log_likelihood(Sequences(x), out), laplace.log_prob(model.normalizer(x)).flatten(2).sum(2)
    )


def test_pixels_come_out_of_the_bernoulli(pixels: None) -> None:
    decoded = make(likelihood="bernoulli").reconstruct(clips())
    assert 0 <= decoded.min() <= decoded.max() <= 1


@pytest.mark.parametrize(
    ("stage", "evidence"), [("frames", False), ("sequences", False), ("sequences", True)]
)
def test_the_loss_is_its_formula(stage: str, evidence: bool) -> None:
    """Equations 4 and 7, with the same draws taken by hand and the closed form of each KL from torch."""
    model = make(evidence=evidence).train()
    hooks_of(model).on_stage(stage)
    weights = {"kl_static_weight": 0.3, "kl_action_weight": 0.7, "kl_pose_weight": 5.0}
    for name, value in weights.items():
        hooks_of(model).set_scheduled(name, value)
    x, source = clips(), rows(3)
    got = model.loss(Sequences(x), generator=rows(3))

    def normal(q: DiagonalGaussian) -> torch.distributions.Normal:
        return torch.distributions.Normal(q.mean, q.std)

    def kl(q: DiagonalGaussian, p: DiagonalGaussian | None = None) -> Tensor:
        other = torch.distributions.Normal(torch.zeros(()), torch.ones(())) if p is None else normal(p)
        return torch.distributions.kl_divergence(normal(q), other).sum(-1)

    features = model.encoder(model.normalizer(x).flatten(0, 1)).unflatten(0, x.shape[:2])
    q_s, e = model.identity(features), model.pose_head(features)
    s = q_s.mean + q_s.std * randn((3, EXPERTS), generator=source)
    if stage == "frames":
        q_z = model.frame_pose(e)
        z = q_z.mean + q_z.std * randn((3, STEPS, POSE), generator=source)
        kl_d, kl_z = torch.zeros(3), kl(q_z).sum(1)
    else:
        q_d = model.inference.action(e)
        d = q_d.mean + q_d.std * randn((3, ACTION), generator=source)
        h, _ = model.inference.unroll(e if evidence else torch.zeros(3, STEPS, 1), (d[None], d[None]))
        before, z_steps, kl_z = model.inference.before.expand(3, -1), [], torch.zeros(3)
        for step in range(STEPS):
            q = model.inference.combiner(before, torch.cat([h[:, step], d], 1))
            kl_z = kl_z + kl(q, model.transition(before, d) if step else None)
            before = q.mean + q.std * randn((3, POSE), generator=source)
            z_steps.append(before)
        z, kl_d = torch.stack(z_steps, 1), kl(q_d)
    log_p = model.log_likelihood(Sequences(x), model.decoder(s, model.mixture(s), z)).sum(1)
    terms = {"kl_static": kl(q_s), "kl_action": kl_d, "kl_pose": kl_z, "reconstruction": -log_p}
    for name, value in terms.items():
        torch.testing.assert_close(got.terms[name], value.mean())
    expected = terms["reconstruction"] + sum(
        weights[f"{n}_weight"] * v for n, v in terms.items() if n[:2] == "kl"
    )
    torch.testing.assert_close(got.loss, expected.mean())
    torch.testing.assert_close(got.terms["elbo"], -sum(terms.values()).mean())
    torch.testing.assert_close(model.eval().loss(Sequences(x), generator=rows(3)).loss, -got.terms["elbo"])


def test_the_loss_of_a_batch_is_the_mean_of_its_halves() -> None:
    model, x = make(), clips(4)
    whole = model.loss(Sequences(x), generator=rows(4)).loss
    halves = [
        model.loss(Sequences(x[part]), generator=GeneratorStack.shard(0, 4, part)).loss
        for part in (slice(0, 2), slice(2, 4))
    ]
    torch.testing.assert_close(whole, (halves[0] + halves[1]) / 2)


def test_padding_changes_nothing() -> None:
    model, x = make(), clips()
    mask = torch.ones(3, STEPS, dtype=torch.bool)
    mask[:, 4:] = False
    other = x.clone()
    other[:, 4:] = 0.123
    a, b, short = (
        model.encode(Sequences(x, mask=mask)),
        model.encode(Sequences(other, mask=mask)),
        model.encode(x[:, :4]),
    )
    for one in (a, b):
        torch.testing.assert_close(one.static, short.static)
        torch.testing.assert_close(one.dynamic[:, :4], short.dynamic)
        torch.testing.assert_close(one.extras["action"].value, short.extras["action"].value)
    for stage in ("frames", "sequences"):
        hooks_of(model).on_stage(stage)
        losses = [model.loss(Sequences(v, mask=mask), generator=rows(3)).loss for v in (x, other)]
        torch.testing.assert_close(*losses)


def test_stages_freeze_what_the_paper_freezes() -> None:
    model = make().train()
    groups = hooks_of(model).parameter_groups()
    counted = [id(p) for group in groups.values() for p in group]
    assert sorted(counted) == sorted(id(p) for p in model.parameters())
    hooks_of(model).on_stage("frames")
    model.loss(Sequences(clips()), generator=rows(3)).loss.backward()
    assert all(p.grad is None for p in groups["sequence"])
    assert all(p.grad is not None for n in ("encoder", "heads", "decoder", "frame_pose") for p in groups[n])
    model.zero_grad()
    hooks_of(model).on_stage("sequences")
    model.loss(Sequences(clips()), generator=rows(3)).loss.backward()
    assert all(p.grad is None for p in groups["frame_pose"])
    assert all(p.grad is not None for p in groups["sequence"])
    with pytest.raises(InputError, match="unknown stage of vdsm 'late'; allowed: frames, sequences"):
        hooks_of(model).on_stage("late")
    with pytest.raises(InputError, match="unknown moving value of vdsm 'temprature'"):
        hooks_of(model).set_scheduled("temprature", 1.0)


def test_the_first_stage_is_a_model_of_its_own() -> None:
    model = make()
    hooks_of(model).on_stage("frames")
    factors = model.encode(clips())
    assert not factors.extras
    # Poses of frames, not of sequences: one frame changes its own pose alone.
    other = clips()
    other[:, 2] += 1
    assert torch.equal(model.encode(other).dynamic[:, 3:], factors.dynamic[:, 3:])
    assert not model.learned_prior().sample(2, generator=torch.Generator().manual_seed(0), steps=9).extras
    with pytest.raises(InputError, match="stage 'frames' only"):
        mix_extra(model, factors, factors, "action")


def test_the_first_stage_reads_frames_of_the_individual_and_the_second_does_not() -> None:
    model, own, others = make(), clips(), clips(seed=7)
    both = Sequences(own, targets={"identity": others})
    for stage, x in (("frames", others), ("sequences", own)):
        hooks_of(model).on_stage(stage)
        expected = model.loss(Sequences(x), generator=rows(3)).loss
        assert torch.equal(model.loss(both, generator=rows(3)).loss, expected)


def test_poses_know_what_the_action_says_and_nothing_else() -> None:
    """The paper's form: an LSTM that unrolls from ``d`` alone, so that ``d`` is a bottleneck."""
    model = make()
    factors = model.encode(clips())
    action = factors.extras["action"].value
    inferred = model.inference.poses(torch.randn(3, STEPS, 24), action)
    torch.testing.assert_close(inferred.value, factors.dynamic)


@pytest.mark.parametrize("stage", ["frames", "sequences"])
def test_draws_come_from_the_posteriors_one_after_the_other(stage: str) -> None:
    model = make()
    hooks_of(model).on_stage(stage)
    drawn = draw_factors(model, clips(), generator=rows(3))
    source, features = (
        rows(3),
        model.encoder(model.normalizer(clips()).flatten(0, 1)).unflatten(0, (3, STEPS)),
    )
    e = model.pose_head(features)
    assert drawn is not None
    torch.testing.assert_close(drawn.static, model.identity(features).draw(source))
    if stage == "frames":
        torch.testing.assert_close(drawn.dynamic, model.frame_pose(e).draw(source))
        assert not drawn.extras
        return
    action = model.inference.action(e).draw(source)
    torch.testing.assert_close(drawn.extras["action"].value, action)
    torch.testing.assert_close(drawn.dynamic, model.inference.poses(e, action, generator=source).value)


def test_an_action_is_swapped_alone() -> None:
    model = make()
    a, b = model.encode(clips()), model.encode(clips(seed=6))
    mixed = mix_extra(model, a, b, "action")
    assert torch.equal(mixed.static, a.static)
    assert torch.equal(mixed.dynamic[:, 0], a.dynamic[:, 0])
    assert torch.equal(mixed.extras["action"].value, b.extras["action"].value)
    for step in range(1, STEPS):
        moved = model.transition(mixed.dynamic[:, step - 1], b.extras["action"].value).mean
        torch.testing.assert_close(mixed.dynamic[:, step], moved)
    drawn = mix_extra(model, a, b, "action", generator=torch.Generator().manual_seed(0))
    assert not torch.equal(drawn.dynamic, mixed.dynamic)
    with pytest.raises(InputError, match="unknown further factor of vdsm 'pose'; allowed: action"):
        mix_extra(model, a, b, "pose")


def test_pairs_swap_an_extra() -> None:
    model = make()
    a, b = Sequences(clips()), Sequences(clips(seed=6))
    result = swap_pairs(model, a, b, extra="action")
    torch.testing.assert_close(result.a_static_b_dynamic, model.swap(a.x, b.x, extra="action"))
    torch.testing.assert_close(result.b_static_a_dynamic, model.swap(b.x, a.x, extra="action"))
    assert [row[0].title for row in result.grid()][-2:] == ["all A + action B", "all B + action A"]


def test_sample_0_does_not_depend_on_the_batch() -> None:
    model = make()
    prior = model.learned_prior()
    one, many = (prior.sample(n, generator=torch.Generator().manual_seed(3), steps=9) for n in (1, 4))
    torch.testing.assert_close(many.flatten()[:1], one.flatten())
    torch.testing.assert_close(model.decode(many)[:1], model.decode(one), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(model.encode(clips())[0].flatten(), model.encode(clips()[:1]).flatten())


@pytest.mark.parametrize("stage", ["frames", "sequences"])
def test_save_then_load_is_bit_equal(tmp_path: Path, stage: str) -> None:
    model = make()
    hooks_of(model).on_stage(stage)
    hooks_of(model).set_scheduled("temperature", 0.7)
    model.save_pretrained(tmp_path / "model")
    loaded = Disentangler.from_pretrained(tmp_path / "model")
    for name, value in state_to_save(model).items():
        assert torch.equal(value, state_to_save(loaded)[name]), name
    assert set(loaded.encode(clips()).extras) == ({"action"} if stage == "sequences" else set())
    assert torch.equal(loaded.reconstruct(clips()), model.reconstruct(clips()))


@pytest.mark.parametrize("stage", ["frames", "sequences"])
def test_what_was_not_measured_changes_nothing_and_has_no_likelihood(stage: str) -> None:
    model, x = make(), clips()
    hooks_of(model).on_stage(stage)
    observed = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) > 0.3
    other = torch.where(observed, x, torch.nan)
    first, second = (Sequences(frames, observed=observed) for frames in (x, other))
    assert torch.equal(model.encode(first).flatten(), model.encode(second).flatten())
    a, b = (model.loss(part, generator=GeneratorStack.shard(0, 3, slice(0, 3))) for part in (first, second))
    assert torch.equal(a.loss, b.loss)
    output = model.decoder_output(model.encode(first).static, model.encode(first).dynamic)
    whole, seen = model.log_likelihood(Sequences(x), output), model.log_likelihood(first, output)
    assert not torch.equal(whole, seen)


def test_bad_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"makes frames \(C, 16, 16\); got \(3, 8, 8\)"):
        make(decoder_channels=(8, 8))
    with pytest.raises(InputError, match="4 encoder_channels halve the frame as often; its side is 8"):
        make(encoder_channels=(4, 4, 4, 4))
    with pytest.raises(ValidationError, match="norm_groups 3 does not divide 8; it must divide all"):
        make(norm_groups=3)
    with pytest.raises(InputError, match=r"needs pixels in \[0, 1\] and no frame codec"):
        make(likelihood="bernoulli")
    model = make()
    factors = model.encode(clips())
    with pytest.raises(InputError, match=r"widths \(\(4,\), \(3,\)\); the model's are \(\(5,\), \(3,\)\)"):
        model.decode(replace(factors, static=factors.static[:, :4]))
    with pytest.raises(InputError, match="sequences of 0 steps"):
        model.learned_prior().sample(1, generator=torch.Generator(), steps=0)
    plain = Factors(factors.static, factors.dynamic)
    with pytest.raises(InputError, match="unknown extra of these factors 'action'"):
        mix_extra(model, factors, plain, "action")


def test_gaps_of_an_identitys_frames_change_no_bit_of_the_first_stages_loss() -> None:
    model = make()
    hooks_of(model).on_stage("frames")
    lent = clips(seed=9)
    observed = torch.rand(lent.shape, generator=torch.Generator().manual_seed(0)) > 0.2
    losses = []
    for fill in (0.0, 1e3, float("nan")):
        targets = {
            IDENTITY: torch.where(observed, lent, fill),
            IDENTITY_OBSERVED: observed.float(),
        }
        losses.append(float(model.loss(Sequences(clips(), targets=targets), generator=rows(3)).loss.detach()))
    assert losses[0] == losses[1] == losses[2]
    whole = model.loss(Sequences(clips(), targets={IDENTITY: lent}), generator=rows(3)).loss
    assert float(whole.detach()) != losses[0]
