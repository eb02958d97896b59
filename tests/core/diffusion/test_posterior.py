"""The KL of one reverse step, against the Gaussians of Ho et al. (2020) written out in their own variables."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from seqdis.core.diffusion.noise import cosine_schedule, linear_schedule
from seqdis.core.diffusion.posterior import posterior_kl


def draw(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("schedule", [linear_schedule(200), cosine_schedule(200)])
@pytest.mark.parametrize("t", [1, 2, 17, 120, 199])
def test_it_is_the_kl_of_the_two_posteriors(schedule, t: int) -> None:
    clean, noise, guess = draw(3, 2, 5, seed=0), draw(3, 2, 5, seed=1), draw(3, 2, 5, seed=2)
    betas = schedule.betas.numpy()
    alpha_bar = np.cumprod(1 - betas)
    before, now, beta = alpha_bar[t - 1], alpha_bar[t], betas[t]
    noisy = np.sqrt(now) * clean + np.sqrt(1 - now) * noise

    def posterior(x0: torch.Tensor) -> Normal:
        mean = np.sqrt(before) * beta / (1 - now) * x0 + np.sqrt(1 - beta) * (1 - before) / (1 - now) * noisy
        variance = (1 - before) / (1 - now) * beta
        return Normal(mean, torch.full_like(mean, float(np.sqrt(variance))))

    expected = kl_divergence(posterior(clean), posterior(guess)).flatten(1).sum(1)
    level, sigma_next = (schedule.sigmas[i].expand(3) for i in (t, t - 1))
    torch.testing.assert_close(
        posterior_kl(clean, guess, sigma=level, sigma_next=sigma_next), expected, rtol=1e-8, atol=0
    )


def test_in_terms_of_the_noise_it_is_the_weighted_loss_of_ddpm() -> None:
    schedule = linear_schedule(100)
    clean, noise, predicted = draw(4, 6, seed=0), draw(4, 6, seed=1), draw(4, 6, seed=2)
    t = torch.tensor([1, 5, 50, 99])
    sigma, sigma_next = schedule.sigmas[t], schedule.sigmas[t - 1]
    guess = clean + sigma[:, None] * (noise - predicted)
    beta, alpha_bar = schedule.betas[t], (1 - schedule.betas).cumprod(0)
    variance = (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t]) * beta
    weight = beta.square() / (2 * variance * (1 - beta) * (1 - alpha_bar[t]))  # Eq. 12
    expected = weight * (noise - predicted).square().sum(1)
    torch.testing.assert_close(
        posterior_kl(clean, guess, sigma=sigma, sigma_next=sigma_next), expected, rtol=1e-6, atol=0
    )


def test_a_perfect_guess_costs_nothing() -> None:
    x = draw(2, 3, seed=0)
    kl = posterior_kl(x, x, sigma=torch.tensor([2.0, 3.0]), sigma_next=torch.tensor([1.0, 0.5]))
    assert kl.tolist() == [0.0, 0.0]
