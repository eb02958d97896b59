from __future__ import annotations

import torch

from seqdis.core.nn.gaussian_channel import GaussianChannel, unit_power
from seqdis.core.random import GeneratorStack


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))


def test_power_is_one_whatever_the_length_was() -> None:
    x = torch.randn(5, 7, 6, generator=torch.Generator().manual_seed(0))
    bounded = unit_power(x)
    torch.testing.assert_close(bounded.square().mean(-1), torch.ones(5, 7), rtol=1e-4, atol=0)
    torch.testing.assert_close(unit_power(1e3 * x), bounded, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        bounded, 6**0.5 * x / torch.linalg.vector_norm(x, dim=-1, keepdim=True), rtol=1e-4, atol=1e-6
    )


def test_nothing_in_is_nothing_out() -> None:
    assert torch.equal(unit_power(torch.zeros(2, 3, 4)), torch.zeros(2, 3, 4))


def test_noise_has_the_deviation_asked_for_and_no_other_mean() -> None:
    x = torch.tensor([1.0, -2.0, 0.5]).expand(20000, 1, 3)
    y = GaussianChannel(0.7)(x, rows(20000))
    torch.testing.assert_close(y.mean(0), x[0], rtol=0, atol=0.03)
    torch.testing.assert_close(y.std(0), torch.full((1, 3), 0.7), rtol=0.03, atol=0)
    covariance = torch.cov((y - x)[:, 0].T)
    assert (covariance - torch.diag(covariance.diag())).abs().max() < 0.02


def test_the_same_source_gives_the_same_draw_and_gradients_pass_unchanged() -> None:
    x = torch.randn(4, 2, 3, requires_grad=True)
    channel = GaussianChannel(1.0)
    y = channel(x, rows(4, seed=3))
    assert torch.equal(y, channel(x, rows(4, seed=3)))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, torch.ones_like(x))


def test_a_schedule_moves_the_noise_of_training_alone() -> None:
    x, channel = torch.zeros(20000, 1, 3), GaussianChannel(0.5)
    channel.present_noise = 2.0
    assert abs(float(channel(x, rows(20000)).std()) - 2) < 0.05
    assert abs(float(channel.draw(x, rows(20000)).std()) - 0.5) < 0.02
    assert abs(float(channel.eval()(x, rows(20000)).std()) - 0.5) < 0.02


def test_without_noise_there_is_no_channel() -> None:
    x, channel = torch.randn(4, 2, 3), GaussianChannel(0.0)
    assert torch.equal(channel(channel.bounded(x), rows(4)), x)
