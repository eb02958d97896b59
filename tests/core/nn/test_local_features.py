"""A bag of local features knows what is in a picture and not where; the encoders let s read nothing else."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.nn.local_features import LocalFeatures, WithLocalFeatures
from seqdis.core.nn.recurrent_gaussian import PosteriorLSTM
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.random import GeneratorStack


def bag(**changes: int) -> LocalFeatures:
    torch.manual_seed(0)
    return LocalFeatures(3, 8, **changes).eval()


def picture(*patches: tuple[int, int, Tensor]) -> Tensor:
    x = torch.zeros(1, 3, 32, 32)
    for top, left, patch in patches:
        x[0, :, top : top + 3, left : left + 3] = patch
    return x


def patches() -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    return torch.randn(3, 3, 3, generator=g), torch.randn(3, 3, 3, generator=g)


def test_where_things_are_does_not_matter_and_what_they_look_like_does() -> None:
    network, (one, two) = bag(), patches()
    here = network(picture((6, 6, one), (20, 10, two)))
    torch.testing.assert_close(network(picture((4, 22, one), (9, 5, two))), here, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(network(picture((6, 6, one), (20, 10, one))), here, atol=1e-3)
    # What stands side by side within a neighbourhood is seen together.
    assert not torch.allclose(network(picture((6, 6, one), (6, 9, two))), here, atol=1e-3)


def test_neighbourhoods_have_the_side_that_was_asked_for() -> None:
    one, two = patches()
    apart, near = (
        picture((6, 6, one), (20, 10, two)),
        picture((6, 6, one), (6, 11, two)),
    )  # two pixels between
    torch.testing.assert_close(bag(side=3)(near), bag(side=3)(apart), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(bag(side=7)(near), bag(side=7)(apart), atol=1e-3)
    with pytest.raises(InputError, match="neighbourhoods of side 4; the side must be odd"):
        bag(side=4)


def test_the_bag_stands_in_front_of_the_networks_own_features() -> None:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 5))
    x = torch.randn(2, 3, 32, 32)
    both = WithLocalFeatures(bag(), network)(x)
    assert torch.equal(both[:, :8], bag()(x))
    assert torch.equal(both[:, 8:], network(x))


def changed(f: Tensor, part: slice) -> Tensor:
    out = f.clone()
    out[..., part] += torch.randn(out[..., part].shape, generator=torch.Generator().manual_seed(9))
    return out


@pytest.mark.parametrize("frames", ["first", "random"])
def test_each_factor_of_the_residual_encoder_reads_its_own_features(
    frames: Literal["first", "random"],
) -> None:
    torch.manual_seed(0)
    drawn = frames == "random"
    encoder = ResidualEncoder(
        10, 7, 4, hidden=16, width=12, heads=3, static_frames=frames, static_features=4
    ).eval()
    f, rows = torch.randn(3, 5, 10), GeneratorStack.shard(0, 3, slice(0, 3)) if drawn else None
    static, dynamic = encoder(f, None, rows)
    rows = GeneratorStack.shard(0, 3, slice(0, 3)) if drawn else None
    other = encoder(changed(f, slice(4, None)), None, rows)
    assert torch.equal(other[0], static)
    assert not torch.allclose(other[1], dynamic)
    rows = GeneratorStack.shard(0, 3, slice(0, 3)) if drawn else None
    other = encoder(changed(f, slice(0, 4)), None, rows)
    assert not torch.allclose(other[0], static)
    assert torch.equal(other[1], dynamic)
    with pytest.raises(InputError, match="10 of 10 features for s alone; d needs one"):
        ResidualEncoder(10, 7, 4, hidden=16, width=12, heads=3, static_features=10)


def test_each_posterior_reads_its_own_features() -> None:
    torch.manual_seed(0)
    posterior = PosteriorLSTM(10, 8, static=3, dynamic=2, static_frames="random", static_features=4)
    f = torch.randn(3, 6, 10)
    q, other, shown = posterior(f), posterior(changed(f, slice(4, None))), posterior(changed(f, slice(0, 4)))
    assert torch.equal(other.static.mean, q.static.mean)
    assert not torch.allclose(other.dynamic.mean, q.dynamic.mean)
    assert torch.equal(shown.dynamic.mean, q.dynamic.mean)
    assert not torch.allclose(shown.static.mean, q.static.mean)
    with pytest.raises(InputError, match="4 of 10 features for s alone, read from all frames"):
        PosteriorLSTM(10, 8, static=3, dynamic=2, static_features=4)
