"""What each step of the posterior and of the prior may depend on."""

from __future__ import annotations

import torch

from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.recurrent_gaussian import PosteriorLSTM, PriorLSTM
from seqdis.core.random import GeneratorStack


def test_the_dynamic_posterior_sees_the_past_alone_and_the_static_one_all() -> None:
    posterior = PosteriorLSTM(5, 8, static=3, dynamic=2)
    features = torch.randn(2, 6, 5)
    changed = features.clone()
    changed[:, 4] += 1
    before, after = posterior(features), posterior(changed)
    assert before.static.mean.shape == (2, 3)
    assert before.dynamic.mean.shape == (2, 6, 2)
    torch.testing.assert_close(before.dynamic.mean[:, :4], after.dynamic.mean[:, :4], rtol=0, atol=0)
    assert not torch.allclose(before.dynamic.mean[:, 4], after.dynamic.mean[:, 4])
    assert not torch.allclose(before.static.mean, after.static.mean)


def test_the_prior_of_a_step_sees_the_steps_before_it_alone() -> None:
    prior = PriorLSTM(2, 8)
    z = torch.randn(3, 5, 2)
    changed = z.clone()
    changed[:, 2] += 1
    before, after = prior(z), prior(changed)
    torch.testing.assert_close(before.mean[:, :3], after.mean[:, :3], rtol=0, atol=0)
    assert not torch.allclose(before.mean[:, 3], after.mean[:, 3])


def test_a_draw_is_one_from_the_distributions_that_the_prior_gives() -> None:
    """The draws, standardised by the conditionals at themselves, are the noise that went in."""
    prior = PriorLSTM(2, 8)
    torch.nn.init.normal_(prior.to_parameters.weight, std=0.5)
    count, steps = 3, 7
    seeds = range(10, 10 + count)
    drawn = prior.draw(
        steps, generator=GeneratorStack.each([torch.Generator().manual_seed(s) for s in seeds])
    )
    conditional: DiagonalGaussian = prior(drawn)
    noise = (drawn - conditional.mean) / conditional.std
    for row, seed in zip(noise, seeds, strict=True):
        generator = torch.Generator().manual_seed(seed)
        wanted = torch.cat([torch.randn(1, 2, generator=generator) for _ in range(steps)])
        torch.testing.assert_close(row, wanted, atol=1e-4, rtol=1e-4)


def test_a_longer_draw_begins_like_a_shorter_one() -> None:
    prior = PriorLSTM(2, 8)

    def draw(steps: int) -> torch.Tensor:
        return prior.draw(steps, generator=GeneratorStack.each([torch.Generator().manual_seed(0)]))

    torch.testing.assert_close(draw(9)[:, :4], draw(4), rtol=0, atol=0)
