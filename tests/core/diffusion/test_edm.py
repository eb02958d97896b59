"""The sampler on data whose score is known: a Gaussian, N(mean, spread²) in every entry.

Its denoiser is ``D(x; σ) = (spread²·x + σ²·mean)/(spread² + σ²)`` and the probability-flow ODE has
the solution ``x(σ) − mean ∝ √(spread² + σ²)``.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack

MEAN, SPREAD = 0.3, 0.5


def denoise(x: Tensor, sigma: float) -> Tensor:
    s = sigma**2
    return (SPREAD**2 * x + s * MEAN) / (SPREAD**2 + s)


def exact(x: Tensor, start: float, end: float) -> Tensor:
    return MEAN + (x - MEAN) * math.sqrt((SPREAD**2 + end**2) / (SPREAD**2 + start**2))


def noise(count: int = 4096) -> Tensor:
    return 80 * torch.randn(count, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_it_solves_the_ode_and_counts_its_evaluations() -> None:
    result = EDMSampler(steps=256).sample(denoise, noise())
    torch.testing.assert_close(result.x, exact(noise(), 80, 0), rtol=0, atol=1e-3)
    assert result.nfe == 511
    assert EDMSampler(steps=32).sample(denoise, noise(2)).nfe == 63
    assert EDMSampler(steps=36).sample(denoise, noise(2)).nfe == 71


def test_convergence_is_second_order() -> None:
    # Down to σ_min only, where every step is Heun's: the last step to 0 is Euler's by definition.
    def error(steps: int) -> float:
        sampler = EDMSampler(steps=steps, sigma_min=0.1, sigma_max=5.0)
        x = noise(64) / 16
        up = sampler.invert(denoise, x).x
        return (up - exact(x, 0.1, 5.0)).abs().max().item()

    orders = [math.log2(error(n) / error(2 * n - 1)) for n in (17, 33, 65)]
    assert orders[-1] == pytest.approx(2, abs=0.1)


def test_inverting_and_sampling_returns_the_input() -> None:
    sampler = EDMSampler(steps=64)
    x = MEAN + SPREAD * torch.randn(256, 3, dtype=torch.float64)
    inverted = sampler.invert(denoise, x)
    assert inverted.nfe == 126
    torch.testing.assert_close(sampler.sample(denoise, inverted.x).x, x, rtol=0, atol=5e-3)
    assert inverted.x.std().item() == pytest.approx(80, rel=0.1)


def test_churn_keeps_the_distribution_and_zero_churn_needs_no_randomness() -> None:
    churning = EDMSampler(steps=64, s_churn=40)
    rows = GeneratorStack.spawn(torch.Generator().manual_seed(1), 4096)
    churned = churning.sample(denoise, noise(), generator=rows).x
    plain = EDMSampler(steps=64).sample(denoise, noise()).x
    assert churned.mean().item() == pytest.approx(MEAN, abs=0.03)
    assert churned.std().item() == pytest.approx(SPREAD, rel=0.05)
    assert not torch.allclose(churned, plain, atol=0.1)
    again = EDMSampler(steps=64).sample(denoise, noise(), generator=rows).x
    assert torch.equal(plain, again)
    with pytest.raises(InputError, match="needs generator="):
        churning.sample(denoise, noise(8))


def test_churn_outside_its_interval_changes_nothing() -> None:
    churning = EDMSampler(steps=16, s_churn=40, s_tmin=100, s_tmax=200)
    plain = EDMSampler(steps=16).sample(denoise, noise(8)).x
    assert torch.equal(churning.sample(denoise, noise(8)).x, plain)


def test_churned_frames_of_a_sequence_do_not_depend_on_its_company() -> None:
    churning = EDMSampler(steps=8, s_churn=20)

    def run(count: int) -> Tensor:
        rows = GeneratorStack.spawn(torch.Generator().manual_seed(3), count)
        return churning.sample(denoise, noise(12)[: 3 * count], generator=rows).x

    assert torch.equal(run(1), run(4)[:3])


def test_progress_reaches_the_end() -> None:
    seen: list[tuple[int, int]] = []
    EDMSampler(steps=4).sample(denoise, noise(2), progress=lambda i, n: seen.append((i, n)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(("churn", "gamma"), [(1.0, 0.25), (1000.0, 2**0.5 - 1)])
def test_churn_lifts_a_level_by_its_share_of_the_steps_and_by_the_root_of_2_at_most(
    churn: float, gamma: float
) -> None:
    levels: list[float] = []

    def denoise(x: Tensor, level: float) -> Tensor:
        levels.append(level)
        return 0 * x

    noise = 80 * torch.ones(2, 3, dtype=torch.float64)
    sampler = EDMSampler(steps=4, s_churn=churn)
    sampler.sample(denoise, noise, generator=torch.Generator().manual_seed(0))
    lifted = levels[::2]  # Heun's second evaluation is at the next level
    assert lifted == pytest.approx([level * (1 + gamma) for level in sampler.sigmas[:-1]])
