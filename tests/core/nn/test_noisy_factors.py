from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
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


def test_schedules_move_the_noise_of_training_alone() -> None:
    noisy = NoisyFactors(static_noise=0.5, dynamic_noise=0.1)
    noisy.set_noise("static_noise", 2.0, method="m")
    for name, sent in (("training", noisy(nothing(), rows())), ("drawn", noisy.draw(nothing(), rows()))):
        assert abs(float(sent.static.std()) - {"training": 2.0, "drawn": 0.5}[name]) < 0.05
        assert abs(float(sent.dynamic.std()) - 0.1) < 0.01
    assert abs(float(noisy.eval()(nothing(), rows()).static.std()) - 0.5) < 0.02


@pytest.mark.parametrize("name", ["static_noise", "noise"])
def test_a_value_that_there_is_not_is_an_error(name: str) -> None:
    noisy = NoisyFactors(static_noise=0.0, dynamic_noise=0.1)
    with pytest.raises(
        InputError, match=rf"value '{name}'; m has static_noise and dynamic_noise, each where"
    ):
        noisy.set_noise(name, 1.0, method="m")
