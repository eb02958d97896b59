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


def test_a_static_posterior_of_a_random_frame_and_the_mean_over_all() -> None:
    torch.manual_seed(0)
    posterior = PosteriorLSTM(5, 8, static=3, dynamic=2, layer_norm=True, static_frames="random")
    features = torch.randn(200, 6, 5)
    mask = torch.arange(6) < torch.arange(1, 7).repeat(34)[:200, None]
    each = posterior(features.flatten(0, 1)[:, None])  # sequences of one frame
    means = each.static.mean.unflatten(0, (200, 6))
    drawn = posterior(features, mask, GeneratorStack.shard(0, 200, slice(0, 200)))
    distance = (means - drawn.static.mean[:, None]).abs().amax(2)
    chosen = distance.argmin(1)
    assert distance.amin(1).max() < 1e-5
    assert bool(mask[torch.arange(200), chosen].all())
    assert len(chosen[5::6].unique()) == 6
    for found, parts in (
        (posterior(features, mask).static.mean, means),
        (posterior(features, mask).static.log_std, each.static.log_std.unflatten(0, (200, 6))),
    ):
        wanted = torch.stack([row[kept].mean(0) for row, kept in zip(parts, mask, strict=True)])
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    # Neither the order of frames nor what stands in a gap is seen by it; the dynamic posterior is the paper's.
    swapped = posterior(features.flip(1), mask.flip(1))
    torch.testing.assert_close(
        swapped.static.mean, posterior(features, mask).static.mean, rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(drawn.dynamic.mean, posterior(features).dynamic.mean)


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
