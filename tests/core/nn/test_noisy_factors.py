from __future__ import annotations

import torch

from seqdis.core.factors import Factors
from seqdis.core.nn.noisy_factors import NoisyFactors
from seqdis.core.random import GeneratorStack

COUNT = 20000


def rows(seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, COUNT, slice(0, COUNT))


def nothing() -> Factors:
    return Factors(torch.zeros(COUNT, 3), torch.zeros(COUNT, 2, 3))


def test_each_factor_has_noise_of_its_own_deviation_and_the_two_are_independent() -> None:
    sent = NoisyFactors(static_noise=0.2, dynamic_noise=0.7)(nothing(), rows())
    assert abs(float(sent.static.std()) - 0.2) < 0.01
    assert abs(float(sent.dynamic.std()) - 0.7) < 0.01
    both = torch.cat([sent.static, sent.dynamic.flatten(1)], dim=1)
    correlation = torch.corrcoef(both.T)
    assert (correlation - torch.eye(9)).abs().max() < 0.03


def test_a_factor_without_noise_is_left_as_it_is_and_draws_nothing() -> None:
    g = torch.Generator().manual_seed(0)
    factors = Factors(torch.randn(COUNT, 3, generator=g), torch.randn(COUNT, 2, 3, generator=g))
    still = NoisyFactors(static_noise=0.0, dynamic_noise=0.5)
    bounded = still.bounded(factors)
    assert torch.equal(bounded.static, factors.static)
    torch.testing.assert_close(bounded.dynamic.square().mean(-1), torch.ones(COUNT, 2), rtol=0, atol=0.01)
    assert torch.equal(still(factors, rows(1)).static, factors.static)
    # Noise on the other changes no draw of d.
    with_both = NoisyFactors(static_noise=1.0, dynamic_noise=0.5)
    assert torch.equal(still(factors, rows(1)).dynamic, with_both(factors, rows(1)).dynamic)
