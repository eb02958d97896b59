"""Properties of the diagonal Gaussian, against torch.distributions and Monte Carlo."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from seqdis.core.errors import InputError
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.random import GeneratorStack


def _random(*shape: int, seed: int = 0) -> DiagonalGaussian:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn((2, *shape), generator=generator, dtype=torch.float64)
    return DiagonalGaussian(values[0], 0.5 * values[1])


def _reference(gaussian: DiagonalGaussian) -> Independent:
    return Independent(Normal(gaussian.mean, gaussian.std), 1)


def test_density_entropy_and_divergences_are_those_of_torch() -> None:
    q, p = _random(4, 3, 5), _random(4, 3, 5, seed=1)
    value = torch.randn(4, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(q.log_density(value), _reference(q).log_prob(value))
    torch.testing.assert_close(q.entropy(), _reference(q).entropy())
    torch.testing.assert_close(q.kl(p), kl_divergence(_reference(q), _reference(p)))
    standard = DiagonalGaussian.standard(q.mean)
    torch.testing.assert_close(q.kl(), kl_divergence(_reference(q), _reference(standard)))
    torch.testing.assert_close(q.kl(), q.kl(standard))


def test_the_divergence_is_the_mean_log_ratio_of_draws() -> None:
    q, p = _random(1, 3), _random(1, 3, seed=1)
    count = 200_000
    many = DiagonalGaussian(q.mean.expand(count, 3), q.log_std.expand(count, 3))
    z = many.draw(GeneratorStack.shard(0, count, slice(0, count)))
    ratios = q.log_density(z) - p.log_density(z)
    assert abs(ratios.mean() - q.kl(p)) < 4 * ratios.std() / count**0.5
    torch.testing.assert_close(z.mean(0), q.mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(z.std(0), q.std[0], atol=0.02, rtol=0.02)


def test_a_draw_passes_gradients_to_both_parameters() -> None:
    mean = torch.zeros(2, 3, requires_grad=True)
    log_std = torch.zeros(2, 3, requires_grad=True)
    z = DiagonalGaussian(mean, log_std).draw(GeneratorStack.shard(0, 2, slice(0, 2)))
    z.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(2, 3))
    torch.testing.assert_close(log_std.grad, z.detach())  # σ = 1, μ = 0: dz/dln σ = ε = z


def test_a_row_is_drawn_the_same_alone_and_in_company() -> None:
    q = _random(5, 4)
    seeds = [torch.Generator().manual_seed(i) for i in range(5)]
    together = q.draw(GeneratorStack.each(seeds))
    alone = q[:1].draw(GeneratorStack.each([torch.Generator().manual_seed(0)]))
    torch.testing.assert_close(together[:1], alone, rtol=0, atol=0)


def test_a_networks_output_is_mean_and_log_variance() -> None:
    gaussian = DiagonalGaussian.from_parameters(torch.tensor([[1.0, 2.0, 0.0, 4.0]]).log())
    torch.testing.assert_close(gaussian.mean, torch.tensor([[1.0, 2.0]]).log())
    torch.testing.assert_close(gaussian.std[0, 1], torch.tensor(2.0))


def test_parameters_of_two_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"mean and log_std need one shape; got \(2, 3\) and \(2, 4\)"):
        DiagonalGaussian(torch.zeros(2, 3), torch.zeros(2, 4))
