from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.core.methods.divid.tiny_divid import (
    SIDE,
    STEPS,
    Recorder,
    clips,
    make,
    rows,
)
from torch import Tensor

from seqdis.core.capabilities import invert
from seqdis.core.diffusion.noise import linear_schedule
from seqdis.core.diffusion.samplers.ddim import DDIMConfig
from seqdis.core.diffusion.samplers.ddpm import DDPMConfig
from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.unipc import UniPCConfig
from seqdis.core.factors import Factors
from seqdis.core.methods.divid import DiViD
from seqdis.core.random import randn
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of


def loss_of(model: DiViD, x: Tensor, seed: int = 0, **parts: Tensor) -> dict[str, Tensor]:
    out = model.loss(Sequences(x, **parts), generator=rows(len(x), seed))  # type: ignore[arg-type]
    return {"loss": out.loss.detach(), **out.terms}


def alpha_bar(c_noise: Tensor, timesteps: int) -> Tensor:
    """Of the step whose level the network was told, from the table of β's itself."""
    known = np.cumprod(1 - np.linspace(1e-4, 0.02, timesteps))
    wanted = 1 / (1 + np.exp(8 * c_noise.double().numpy()))
    found = np.abs(known[None] / wanted[:, None] - 1).min(1)
    assert found.max() < 1e-4  # a step of the chain, nothing in between
    return torch.from_numpy(wanted)


def test_the_forward_process_has_the_moments_of_equation_1_with_one_noise_a_sequence() -> None:
    network = Recorder()
    model = make(network)
    x = clips(400, steps=3)
    model.loss(Sequences(x), generator=rows(400))
    seen, c_noise, _ = network.calls[0]
    a = alpha_bar(c_noise, 100).view(-1, 1, 1, 1)
    noise = ((seen - a.sqrt() * (0.5 * x).flatten(0, 1)) / (1 - a).sqrt()).unflatten(0, (400, 3))
    torch.testing.assert_close(noise[:, :1].expand_as(noise), noise, rtol=0, atol=1e-3)
    one = noise[:, 0]
    assert one.mean().abs() < 4 / one.numel() ** 0.5
    assert one.var().item() == pytest.approx(1, abs=0.02)
    assert (c_noise.view(400, 3) == c_noise.view(400, 3)[:, :1]).all()  # one t as well
    assert len(c_noise.unique()) > 80


def test_every_step_of_the_chain_is_drawn_alike() -> None:
    network = Recorder()
    model = make(network, timesteps=10)
    model.loss(
        Sequences(clips(4000, steps=1)[..., :1, :1].expand(-1, -1, -1, SIDE, SIDE)), generator=rows(4000)
    )
    _, counts = network.calls[0][1].unique(return_counts=True)
    assert len(counts) == 10
    assert (counts - 400).abs().max() < 5 * 20


@pytest.mark.parametrize("prediction", ["epsilon", "velocity"])
@pytest.mark.parametrize("loss_on", ["epsilon", "velocity"])
def test_the_loss_is_the_error_of_the_noise_or_of_the_velocity(prediction: str, loss_on: str) -> None:
    network = Recorder()
    model = make(network, prediction=prediction, loss_on=loss_on, orthogonality=0.0)
    x = clips()
    got = loss_of(model, x)["loss"]
    seen, c_noise, z = network.calls[0]
    a = alpha_bar(c_noise, 100).view(-1, 1, 1, 1)
    clean = 0.5 * x.flatten(0, 1)
    noise = (seen - a.sqrt() * clean) / (1 - a).sqrt()
    output = 0.3 * seen + 0.1 * z.flatten(1).mean(1).view(-1, 1, 1, 1)
    # v = √ᾱ·ε − √(1−ᾱ)·x₀, so that ε = √(1−ᾱ)·x_t + √ᾱ·v; of a guess of ε, x₀ = (x_t − √(1−ᾱ)·ε)/√ᾱ.
    guess = output if prediction == "epsilon" else (1 - a).sqrt() * seen + a.sqrt() * output
    truth = noise
    if loss_on == "velocity":
        truth, guess = (
            a.sqrt() * e - (1 - a).sqrt() * (seen - (1 - a).sqrt() * e) / a.sqrt() for e in (noise, guess)
        )
    torch.testing.assert_close(got.double(), (guess - truth).square().mean().detach(), rtol=1e-4, atol=0)


def test_orthogonality_against_numpy() -> None:
    model = make()
    tokens = torch.randn(3, 4, 2, 7, generator=torch.Generator().manual_seed(0))
    s, d = tokens.numpy()[:, :, 0], tokens.numpy()[:, :, 1]
    cosine = (s * d).sum(2) / np.linalg.norm(s, axis=2) / np.linalg.norm(d, axis=2)
    assert model.orthogonality(tokens).item() == pytest.approx(np.mean(cosine**2), rel=1e-5)
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]]).bool()
    each = [np.mean(cosine[i, :n] ** 2) for i, n in enumerate((4, 1, 2))]
    assert model.orthogonality(tokens, mask).item() == pytest.approx(np.mean(each), rel=1e-5)
    x = clips()
    torch.testing.assert_close(
        loss_of(model, x)["orthogonality"], model.orthogonality(model.tokens(model.encode(x))).detach()
    )


def test_the_objective_is_the_weighted_sum() -> None:
    out = loss_of(make(orthogonality=0.7), clips())
    torch.testing.assert_close(out["loss"], out["ddpm"] + 0.7 * out["orthogonality"])


def test_the_static_factor_sees_the_first_frame_alone() -> None:
    model = make()
    x, changed = clips(), clips()
    changed[:, 1:] += clips(seed=6)[:, 1:]
    assert torch.equal(model.encode(x).static, model.encode(changed).static)
    changed[:, 0] += 1
    assert (model.encode(x).static - model.encode(changed).static).abs().amax(1).min() > 1e-4


def test_still_clips_have_the_same_dynamics_whatever_they_show() -> None:
    still = clips()[:, :1].expand(-1, STEPS, -1, -1, -1)
    dynamic = make().encode(still).dynamic
    torch.testing.assert_close(dynamic[1:], dynamic[:1].expand_as(dynamic[1:]), rtol=0, atol=1e-6)
    without = make(first_frame_residual=False).encode(still).dynamic
    assert (without[1:] - without[:1]).abs().amax((1, 2)).min() > 1e-3


def test_dynamics_see_both_directions_of_time() -> None:
    model = make()
    x, changed = clips(), clips()
    changed[:, -1] += 1
    assert (model.encode(x).dynamic - model.encode(changed).dynamic).abs().amax((0, 2)).min() > 1e-5


def test_shapes_and_swaps() -> None:
    model = make()
    a, b = clips(), clips(seed=6)
    factors = model.encode(a)
    assert (factors.static.shape, factors.dynamic.shape) == ((4, 12), (4, STEPS, 6))
    tokens = model.tokens(factors)
    assert tokens.shape == (4, STEPS, 2, 10)
    assert torch.equal(tokens[:, :, 0], tokens[:, :1, 0].expand(-1, STEPS, -1))

    def generator() -> torch.Generator:
        return torch.Generator().manual_seed(3)

    rebuilt = model.reconstruct(a, generator=generator())
    assert rebuilt.shape == a.shape
    assert torch.equal(model.swap(a, a, generator=generator()), rebuilt)
    swapped = model.swap(a, b, generator=generator())
    mixed = factors.mix(model.encode(b))
    torch.testing.assert_close(swapped, model.decode(mixed, generator=generator()), rtol=1e-3, atol=1e-3)
    assert not torch.equal(swapped, rebuilt)
    assert invert(model, a, factors) is None


SAMPLERS = [
    DDPMConfig(levels="chain", steps=6),
    DDIMConfig(eta=0.5, levels="chain", steps=6, spacing="linspace"),
    DDIMConfig(levels="chain", steps=6),
    EDMConfig(s_churn=5, levels="chain", steps=6),
    DPMPPConfig(levels="karras", steps=6),
    UniPCConfig(levels="chain", steps=6),
]


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda s: f"{s.kind}-{s.levels}")
def test_sampling_shares_its_noise_too(sampler: SamplerConfig) -> None:
    def frames_at_each_call(shared: bool) -> list[Tensor]:
        network = Recorder()
        model = make(network, sampler=sampler, shared_noise=shared)
        # With the same dynamics in each step, nothing but the noise could tell frames apart.
        factors = Factors(torch.randn(3, 12), torch.randn(3, 1, 6).expand(-1, STEPS, -1))
        model.decode(factors, generator=torch.Generator().manual_seed(0))
        return [x.unflatten(0, (3, STEPS)) for x, _, _ in network.calls]

    for x in frames_at_each_call(True):
        torch.testing.assert_close(x[:, 1:], x[:, :1].expand_as(x[:, 1:]), rtol=0, atol=1e-5)
        assert (x[0, 0] - x[1, 0]).abs().max() > 0.1  # other sequences have their own
    for x in frames_at_each_call(False):
        assert (x[:, 1:] - x[:, :1]).abs().amax((2, 3, 4)).min() > 0.1


def test_ancestral_sampling_takes_every_step_of_the_chain() -> None:
    network = Recorder()
    model = make(network, sampler=DDPMConfig(levels="chain", steps=100))
    model.decode(model.encode(clips(1)), generator=torch.Generator().manual_seed(0))
    levels = torch.stack([c_noise[0] for _, c_noise, _ in network.calls]).mul(4).exp().double()
    torch.testing.assert_close(levels, linear_schedule(100).sigmas.flip(0), rtol=1e-4, atol=0)


def test_halves_of_a_batch_have_its_mean_loss_and_padding_and_gaps_no_say() -> None:
    model, x = make(), clips()
    mask = torch.arange(STEPS) < torch.tensor([5, 3, 1, 4])[:, None]
    observed = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) > 0.2
    parts = {"mask": mask, "observed": observed}
    whole = loss_of(model, x, **parts)
    for name, value in whole.items():
        halves = [
            model.loss(Sequences(x[h], mask=mask[h], observed=observed[h]), generator=rows(4, part=h))
            for h in (slice(0, 2), slice(2, 4))
        ]
        found = [{"loss": out.loss, **out.terms}[name] for out in halves]
        torch.testing.assert_close(torch.stack(found).mean(), value, rtol=1e-5, atol=1e-7)
    other = x.clone()
    other[~mask] = 9.0
    other[~observed] = -7.0
    for name, value in loss_of(model, other, **parts).items():
        torch.testing.assert_close(value, whole[name], rtol=1e-6, atol=1e-7, msg=name)
    a, b = (model.encode(Sequences(frames, **parts)) for frames in (x, other))
    assert torch.equal(a.static, b.static)
    torch.testing.assert_close(a.dynamic[mask], b.dynamic[mask])
    alone = model.encode(Sequences(x[1:2, :3], observed=observed[1:2, :3]))
    torch.testing.assert_close(a.dynamic[1, :3], alone.dynamic[0], rtol=1e-5, atol=1e-6)


def test_a_subset_of_frames_is_an_unbiased_estimate_of_the_loss() -> None:
    whole, part = make(Recorder()), make(Recorder(), frames_per_clip=2)
    x = clips(16)
    full = torch.stack([loss_of(whole, x, s)["loss"] for s in range(60)])
    some = torch.stack([loss_of(part, x, s)["loss"] for s in range(60)])
    assert (full.mean() - some.mean()).abs() < 4 * (full.var() / 60 + some.var() / 60).sqrt()
    assert part.denoiser.network.calls[0][0].shape[0] == 32  # type: ignore[union-attr, index]


def test_each_switch_changes_what_it_should_and_nothing_else() -> None:
    x = clips()
    plain = make()
    factors, terms = plain.encode(x), loss_of(plain, x)

    independent = make(shared_noise=False)
    assert torch.equal(independent.encode(x).flatten(), factors.flatten())
    assert independent.state_dict().keys() == plain.state_dict().keys()
    assert loss_of(independent, x)["orthogonality"] == terms["orthogonality"]
    assert loss_of(independent, x)["ddpm"] != terms["ddpm"]
    one = clips(steps=1)
    assert loss_of(independent, one) == loss_of(plain, one)  # of one frame there is nothing to share

    ada = make(cross_attention=False)
    assert torch.equal(ada.encode(x).flatten(), factors.flatten())
    assert loss_of(ada, x)["orthogonality"] == terms["orthogonality"]
    ours = {name for name in plain.state_dict() if not name.startswith("denoiser.")}
    assert ours == {name for name in ada.state_dict() if not name.startswith("denoiser.")}
    assert any("cross_attention" in name for name in plain.state_dict())
    assert not any("cross_attention" in name for name in ada.state_dict())
    assert any("from_condition" in name for name in ada.state_dict())
    assert not any("from_condition" in name for name in plain.state_dict())

    unsubtracted = make(first_frame_residual=False)
    assert unsubtracted.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(unsubtracted.encode(x).static, factors.static)
    assert not torch.allclose(unsubtracted.encode(x).dynamic, factors.dynamic)

    free = make(orthogonality=0.0)
    assert torch.equal(free.encode(x).flatten(), factors.flatten())
    found = loss_of(free, x)
    assert {name: found[name] for name in ("ddpm", "orthogonality")} == {
        name: terms[name] for name in ("ddpm", "orthogonality")
    }
    assert found["loss"] == terms["ddpm"] != terms["loss"]


@pytest.mark.parametrize("cross_attention", [True, False])
def test_every_parameter_gets_a_gradient(cross_attention: bool) -> None:
    model = make(cross_attention=cross_attention).train()
    model.loss(Sequences(clips()), generator=rows(4)).loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


def test_the_frames_own_dynamics_reach_the_frame_alone() -> None:
    model = make()
    factors = model.encode(clips(1))
    moved = factors.dynamic.clone()
    moved[:, 2] += 1
    noise = 5 * randn((1, STEPS, 3, SIDE, SIDE), generator=rows(1))
    a, b = model.decode(factors, noise=noise), model.decode(Factors(factors.static, moved), noise=noise)
    differs = (a - b).abs().amax((0, 2, 3, 4)) > 1e-5
    assert differs.tolist() == [False, False, True, False, False]


def test_the_curve_is_the_kl_of_each_step() -> None:
    network = Recorder()
    model = make(network, timesteps=8)
    x = clips()
    curve = hooks_of(model).curves(Sequences(x), generator=rows(4))["posterior_kl"]
    assert curve.x.tolist() == [1, 2, 3, 4, 5, 6, 7]
    sigmas = linear_schedule(8).sigmas
    clean = 0.5 * x.flatten(0, 1).double()
    for t, value, (seen, c_noise, z) in zip(curve.x.tolist(), curve.y.tolist(), network.calls, strict=True):
        assert c_noise[0].item() == pytest.approx(float(sigmas[t].log() / 4), rel=1e-5)
        noisy = seen.double() * (1 + sigmas[t] ** 2).sqrt()
        epsilon = 0.3 * seen.double() + 0.1 * z.flatten(1).mean(1).view(-1, 1, 1, 1)
        squares = (noisy - sigmas[t] * epsilon - clean).square().flatten(1).sum(1).mean()
        expected = 0.5 * (1 / sigmas[t - 1] ** 2 - 1 / sigmas[t] ** 2) * squares
        assert value == pytest.approx(expected.item(), rel=1e-4)
