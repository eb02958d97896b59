"""Every sampler on data whose score is known: a mixture of Gaussians in the plane, and one Gaussian.

The mixture's denoiser is exact: with ``p(k | x) ∝ w_k N(x; m_k, (s²+σ²)I)``,
``D(x; σ) = Σ_k p(k | x)·(s²·x + σ²·m_k)/(s² + σ²)``.
"""

from __future__ import annotations

import functools
import inspect
import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seqdis.core.diffusion.noise import karras_levels, linear_schedule
from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.ddim import DDIMSampler
from seqdis.core.diffusion.samplers.ddpm import DDPMSampler
from seqdis.core.diffusion.samplers.dpmpp import DPMPPSampler
from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.diffusion.samplers.sampler_state import SamplerState
from seqdis.core.diffusion.samplers.unipc import UniPCSampler
from seqdis.core.errors import InputError
from seqdis.core.registry import get_sampler

MEANS = torch.tensor([[1.0, 0.0, -0.5], [-1.0, 0.5, 0.5]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64)
SPREAD, COUNT = 0.25, 4096

SAMPLERS: dict[str, Callable[..., Sampler]] = {
    "edm": EDMSampler,
    "churn": functools.partial(EDMSampler, s_churn=20),
    "ddim": DDIMSampler,
    "ddim-half": functools.partial(DDIMSampler, eta=0.5),
    "ddim-one": functools.partial(DDIMSampler, eta=1),
    "ddpm": DDPMSampler,
    "ddpm-beta": functools.partial(DDPMSampler, variance="beta"),
    "dpmpp": DPMPPSampler,
    "unipc": UniPCSampler,
    "unipc-3": functools.partial(UniPCSampler, order=3),
}
SOLVERS = ("edm", "ddim", "dpmpp", "unipc", "unipc-3")


def mixture(x: Tensor, sigma: float) -> Tensor:
    variance = SPREAD**2 + sigma**2
    gaps = x[:, None] - MEANS
    chosen = (WEIGHTS.log() - gaps.square().sum(-1) / (2 * variance)).softmax(1)
    return (SPREAD**2 * x + sigma**2 * (chosen @ MEANS)) / variance


def gaussian(x: Tensor, sigma: float) -> Tensor:
    s = sigma**2
    return (0.25 * x + s * 0.3) / (0.25 + s)


def start(count: int = COUNT, seed: int = 0, scale: float = 20.0) -> Tensor:
    return scale * torch.randn(count, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def from_data(count: int, seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    which = (torch.rand(count, generator=g) > WEIGHTS[0]).long()
    return MEANS[which] + SPREAD * torch.randn(count, 3, generator=g, dtype=torch.float64)


def energy_distance(a: Tensor, b: Tensor) -> float:
    """``2·E‖a−b‖ − E‖a−a'‖ − E‖b−b'‖``: 0 if and only if the distributions agree."""
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())


@pytest.mark.parametrize("name", SAMPLERS)
def test_samples_have_the_distribution_of_the_data(name: str) -> None:
    sampler = SAMPLERS[name](steps=96, sigma_max=20.0, sigma_min=0.01)
    x = sampler.sample(mixture, start(), generator=torch.Generator().manual_seed(1)).x
    true_mean = WEIGHTS @ MEANS
    spread = torch.cov(MEANS.T, correction=0, aweights=WEIGHTS) + SPREAD**2 * torch.eye(
        3, dtype=torch.float64
    )
    assert (x.mean(0) - true_mean).abs().max() < 0.07
    assert (torch.cov(x.T) - spread).abs().max() < 0.07
    # Two-sample test: no further from the data than the data are from themselves, in 20 draws.
    known = from_data(COUNT, 2)
    null = sorted(energy_distance(from_data(1024, 10 + i), known[:1024]) for i in range(20))[-1]
    assert energy_distance(x[:1024], known[:1024]) < 2 * null


def solve(name: str, steps: int) -> Tensor:
    """From σ = 5 to 0.2 in steps even in ln σ; the last step, to 0, is of first order by definition."""
    levels = torch.linspace(math.log(5), math.log(0.2), steps + 1, dtype=torch.float64).exp()
    states = trace(SAMPLERS[name](levels=[*levels.tolist(), 0.0]), mixture, start(64, scale=5.0))
    return states[-2].x


def trace(sampler: Sampler, denoise: Callable[[Tensor, Tensor], Tensor], x: Tensor) -> list[SamplerState]:
    states: list[SamplerState] = []

    def keep(state: SamplerState) -> None:
        states.append(state)

    sampler.sample(denoise, x, callback=keep)
    return states


@pytest.fixture(scope="module")
def exact() -> Tensor:
    return solve("edm", 4096)


@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("edm", 2), ("dpmpp", 2), ("unipc", 3)])
def test_order_of_convergence(name: str, order: int, exact: Tensor) -> None:
    errors = [(solve(name, steps) - exact).abs().mean().item() for steps in (80, 160)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize("name", SOLVERS)
def test_inverting_and_sampling_returns_the_input(name: str) -> None:
    sampler = SAMPLERS[name](steps=256)
    x = from_data(64, 3)
    there = sampler.invert(mixture, x)
    back = sampler.sample(mixture, there.x)
    # To the solver's tolerance: Euler's is of first order.
    assert (back.x - x).abs().mean() < (0.05 if name == "ddim" else 0.004)


def test_corrections_make_the_inverse_of_ddim_exact() -> None:
    def gap(corrections: int) -> float:
        # Levels close enough for the fixed point to be one: |1 − σ_high/σ_low| · |D'| < 1.
        levels = [*torch.logspace(1.9, -1, 64, dtype=torch.float64).tolist(), 0.0]
        sampler = DDIMSampler(levels=levels, corrections=corrections)
        x = 0.3 + math.sqrt(0.25 + 0.01) * torch.randn(64, 3, dtype=torch.float64)
        end = trace(sampler, gaussian, sampler.invert(gaussian, x).x)[-2]
        return (end.x - x).abs().max().item()

    assert gap(0) > 1e-2
    assert gap(20) < 1e-9


@pytest.mark.parametrize("name", SAMPLERS)
def test_deterministic_ones_need_no_randomness_and_others_refuse_to_go_without(name: str) -> None:
    sampler = SAMPLERS[name](steps=8)
    if sampler.draws:
        with pytest.raises(InputError, match="needs generator="):
            sampler.sample(mixture, start(4))
        with pytest.raises(InputError, match="has no inverse"):
            sampler.invert(mixture, start(4))
        one = sampler.sample(mixture, start(4), generator=torch.Generator().manual_seed(0)).x
        alone = sampler.sample(mixture, start(4)[:1], generator=torch.Generator().manual_seed(0)).x
        assert torch.equal(one[:1], alone)
    else:
        assert torch.equal(sampler.sample(mixture, start(4)).x, sampler.sample(mixture, start(4)).x)


@pytest.mark.parametrize("name", SAMPLERS)
def test_evaluations_are_counted(name: str) -> None:
    calls = 0

    def counted(x: Tensor, sigma: float) -> Tensor:
        nonlocal calls
        calls += 1
        return mixture(x, sigma)

    result = SAMPLERS[name](steps=12).sample(counted, start(2), generator=torch.Generator().manual_seed(0))
    assert result.nfe == calls == (23 if name in ("edm", "churn") else 12)


def test_ddim_with_eta_one_takes_the_steps_of_ddpm() -> None:
    chain = linear_schedule()
    seed = torch.Generator().manual_seed
    ddim = DDIMSampler(steps=50, eta=1).on(chain).sample(mixture, start(8), generator=seed(4)).x
    ddpm = DDPMSampler(steps=50).on(chain).sample(mixture, start(8), generator=seed(4)).x
    torch.testing.assert_close(ddim, ddpm, rtol=0, atol=1e-9)


def test_zero_churn_is_the_deterministic_sampler_bit_for_bit() -> None:
    calm = EDMSampler(steps=16, s_churn=0.0, s_noise=1.1, s_tmin=0.1)
    assert torch.equal(calm.sample(mixture, start(8)).x, EDMSampler(steps=16).sample(mixture, start(8)).x)


def test_a_callback_sees_named_states_and_can_change_them() -> None:
    seen: list[tuple[int, float, int]] = []

    def watch(state: SamplerState) -> None:
        seen.append((state.step, state.level, state.nfe))

    levels = karras_levels(4)
    EDMSampler(steps=4).sample(mixture, start(2), callback=watch)
    assert seen == [(1, float(levels[1]), 2), (2, float(levels[2]), 4), (3, float(levels[3]), 6), (4, 0.0, 7)]
    held = EDMSampler(steps=4).sample(
        mixture, start(2), callback=lambda s: replace(s, x=torch.zeros_like(s.x))
    )
    assert held.x.abs().max() == 0


@pytest.mark.parametrize("levels", [[1.0, 2.0, 0.0], [1.0, 0.5], [0.0], [1.0, 1.0, 0.0]])
def test_levels_that_do_not_fall_to_zero_are_refused(levels: list[float]) -> None:
    with pytest.raises(
        InputError, match=r"DDIMSampler: key 'levels' is .*levels must fall strictly and end at 0"
    ):
        DDIMSampler(levels=levels)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DDIMSampler(eta=2), r"^DDIMSampler: key 'eta' is 2, but: .* less than or equal to 1"),
        (lambda: DDIMSampler(corrections=-1), "key 'corrections' is -1"),
        (lambda: UniPCSampler(order=4), "^UniPCSampler: key 'order' is 4"),
        (lambda: EDMSampler(eta=0.5), r"^EDMSampler: unknown key 'eta'; allowed: kind, steps, .*s_churn"),
        (lambda: EDMSampler(levels="chains"), "'levels' is 'chains', but: .*'auto', 'karras', 'chain'"),
        (lambda: EDMSampler().replace(steps=0), "key 'steps' is 0"),
        (lambda: DDIMSampler.from_config(EDMSampler().config), "settings EDMConfig; allowed: DDIMConfig"),
        (lambda: EDMSampler(sigma_min=90).sigmas, "0 < sigma_min < sigma_max; got 32, 90"),
        (lambda: DDIMSampler(steps=5, levels="chain").sigmas, "'chain': this model was not trained on one"),
        (lambda: DDIMSampler(steps=5).on(linear_schedule(4)).sigmas, "steps 5: allowed .*: 1 to 4"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["edm", "ddim", "ddpm", "dpmpp", "unipc"])
def test_a_model_of_a_discrete_chain_lends_its_levels_to_any_sampler(kind: str) -> None:
    chain = linear_schedule(100)
    sampler = get_sampler(kind)(steps=10, spacing="linspace")
    assert sampler.sigmas == karras_levels(10).tolist()
    wanted = chain.levels(10, spacing="linspace").tolist()
    assert sampler.on(chain).sigmas == wanted
    assert sampler.on(chain).deterministic().sigmas == wanted
    assert sampler.replace(levels="karras").on(chain).sigmas == karras_levels(10).tolist()
    assert sampler.on(chain).on(None).sigmas == sampler.sigmas


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_deterministic_version_of_a_sampler_can_be_inverted(name: str) -> None:
    calm = SAMPLERS[name](steps=9, sigma_max=7.0).deterministic()
    assert calm.invertible
    assert not calm.draws
    assert (calm.config.steps, calm.config.sigma_max) == (9, 7.0)
    assert calm.invert(mixture, start(2, scale=1.0)).x.shape == (2, 3)


def test_a_sampler_shows_what_it_was_made_from() -> None:
    assert repr(DDIMSampler(steps=16, eta=0.5)) == "DDIMSampler(eta=0.5, steps=16)"
    parameters = inspect.signature(EDMSampler).parameters
    assert parameters["s_churn"].default == 0.0
    assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values())


def test_the_package_of_samplers_is_light() -> None:
    code = (
        "import sys; from seqdis.core.diffusion import samplers; samplers.EDMSampler(steps=3);"
        "samplers.UniPCConfig(); print([m for m in ('torch', 'numpy') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
