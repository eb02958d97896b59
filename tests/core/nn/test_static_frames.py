"""Which frames the static factor is read from, and that it is read from nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.nn.recurrent_gaussian import PosteriorLSTM
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.nn.static_frames import StaticFrames, StaticView
from seqdis.core.random import GeneratorStack


def rows(count: int) -> GeneratorStack:
    return GeneratorStack.shard(0, count, slice(0, count))


def numbered(count: int, steps: int) -> tuple[Tensor, Tensor]:
    """Frames that tell their own number, of which the last ones or the first ones of a sequence are missing."""
    frames = torch.arange(float(steps)).expand(count, steps)[..., None, None] * torch.ones(2, 3)
    first = torch.arange(count) % steps
    return frames, torch.arange(steps) >= first[:, None]


def test_the_first_frame_is_the_first_that_exists() -> None:
    frames, mask = numbered(10, 5)
    shown = StaticFrames.first(frames, mask)
    assert shown.frames.shape == (10, 1, 2, 3)
    assert torch.equal(shown.mean()[:, 0, 0], torch.arange(10.0) % 5)
    assert torch.equal(StaticFrames.first(frames, None).mean(), frames[:, 0])


def test_a_random_frame_is_any_that_exists_and_without_a_draw_it_is_the_mean() -> None:
    frames, mask = numbered(500, 5)
    drawn = StaticFrames.random(frames, mask, rows(500)).mean()[:, 0, 0]
    for first in range(5):
        assert set(drawn[first::5].tolist()) == set(range(first, 5))
    counts = torch.bincount(drawn[::5].long())
    assert counts.min() > 8  # 20 are expected of each, with a deviation of 4
    mean = StaticFrames.random(frames, mask, None).mean()[:, 0, 0]
    torch.testing.assert_close(mean, (torch.arange(500) % 5 + 4) / 2)


def test_an_encoder_of_its_own_sees_the_frames_and_nothing_else_the_features() -> None:
    y, features = torch.randn(3, 4, 2, 5), torch.randn(3, 4, 7)
    encoder = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(10, 6))
    own = StaticView("random", encoder)(y, features, None, None, size=100)
    assert own is not None
    torch.testing.assert_close(own.mean(), encoder(y.flatten(0, 1)).unflatten(0, (3, 4)).mean(1))
    shared = StaticView("first", None)(y, features, None, None, size=100)
    assert shared is not None
    assert torch.equal(shared.mean(), features[:, 0])
    assert StaticView("all", None)(y, features, None, None, size=100) is None


def test_each_factor_of_the_residual_encoder_reads_its_own_features() -> None:
    torch.manual_seed(0)
    encoder = ResidualEncoder(10, 7, 4, hidden=16, width=12, heads=3, appearance=6).eval()
    f, looks = torch.randn(3, 5, 10), torch.randn(3, 2, 6)
    exists = torch.tensor([[True, True], [True, False], [True, True]])
    static, dynamic = encoder(f, None, StaticFrames(looks, exists))
    each = encoder.to_static(torch.nn.functional.layer_norm(looks, (6,)))
    torch.testing.assert_close(static[0], each[0].mean(0))
    torch.testing.assert_close(static[1], each[1, 0])
    other = encoder(torch.randn(3, 5, 10), None, StaticFrames(looks, exists))
    assert torch.equal(other[0], static)
    assert not torch.allclose(other[1], dynamic)
    assert torch.equal(encoder(f, None, StaticFrames(looks + 1, exists))[1], dynamic)


def test_each_posterior_reads_its_own_features() -> None:
    torch.manual_seed(0)
    posterior = PosteriorLSTM(10, 8, static=3, dynamic=2, appearance=4)
    f, looks = torch.randn(3, 6, 10), torch.randn(3, 1, 4)
    exists = torch.ones(3, 1, dtype=torch.bool)
    q = posterior(f, StaticFrames(looks, exists))
    moved = posterior(torch.randn(3, 6, 10), StaticFrames(looks, exists))
    shown = posterior(f, StaticFrames(torch.randn(3, 1, 4), exists))
    assert torch.equal(moved.static.mean, q.static.mean)
    assert not torch.allclose(moved.dynamic.mean, q.dynamic.mean)
    assert torch.equal(shown.dynamic.mean, q.dynamic.mean)
    assert not torch.allclose(shown.static.mean, q.static.mean)
