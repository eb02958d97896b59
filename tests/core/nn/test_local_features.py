"""A bag of local features knows what is in a picture, and of where it is what its biases tell."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.nn.local_features import LocalFeatures


def bag(**changes: int) -> LocalFeatures:
    torch.manual_seed(0)
    return LocalFeatures((3, 32, 32), (8, 8), 6, **({"stride": 1, "heads": 4} | changes)).eval()


def picture(*patches: tuple[int, int, Tensor]) -> Tensor:
    x = torch.zeros(1, 3, 32, 32)
    for top, left, patch in patches:
        x[0, :, top : top + 3, left : left + 3] = patch
    return x


def patches() -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    return 30 * torch.randn(3, 3, 3, generator=g), 30 * torch.randn(3, 3, 3, generator=g)


def test_before_training_it_does_not_matter_where_things_are_but_what_they_look_like() -> None:
    network, (one, two) = bag(), patches()
    here = network(picture((6, 6, one), (20, 10, two)))
    torch.testing.assert_close(network(picture((4, 22, one), (9, 5, two))), here, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(network(picture((6, 6, one), (20, 10, one))), here, atol=1e-3)
    # What stands side by side within a neighbourhood is seen together.
    assert not torch.allclose(network(picture((6, 6, one), (6, 9, two))), here, atol=1e-3)


def test_a_head_whose_bias_is_at_a_place_says_what_is_seen_there() -> None:
    network, (one, two) = bag(), patches()
    x = picture((6, 6, one), (20, 10, two))
    network.biases.data[:, 7 * 32 + 7] = 1e4
    at = network.values(network.layers(x))[0, :, 7, 7]
    torch.testing.assert_close(network(x)[0], network.out(at.repeat(4)), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network(picture((6, 6, one))), network(x), rtol=1e-4, atol=1e-4)


def test_neighbourhoods_have_the_side_and_the_stride_that_were_asked_for() -> None:
    one, two = patches()
    apart, near = (
        picture((6, 6, one), (20, 10, two)),
        picture((6, 6, one), (6, 11, two)),
    )  # two pixels between
    torch.testing.assert_close(bag(side=3)(near), bag(side=3)(apart), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(bag(side=7)(near), bag(side=7)(apart), atol=1e-3)
    network = bag(stride=3)
    assert network.biases.shape == (4, 11 * 11)
    network.biases.data[:, 11 * 2 + 2] = 1e4  # around pixel (6, 6)
    torch.testing.assert_close(network(picture((6, 6, one))), network(picture((6, 6, one), (20, 9, two))))


def test_what_it_cannot_see_says_so() -> None:
    with pytest.raises(InputError, match="neighbourhoods of side 4; the side must be odd"):
        bag(side=4)
    with pytest.raises(InputError, match="local features by no layer"):
        LocalFeatures((3, 8, 8), (), 6)
    with pytest.raises(InputError, match=r"frames of shape \(8,\); allowed: pictures"):
        LocalFeatures((8,), (4,), 6)
