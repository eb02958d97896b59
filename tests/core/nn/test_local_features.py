"""A bag of local features knows what is in a picture and not where."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.nn.local_features import LocalFeatures


def bag(**changes: int) -> LocalFeatures:
    torch.manual_seed(0)
    return LocalFeatures(3, (8, 8, 8), 6, **changes).eval()


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
    with pytest.raises(InputError, match="local features by no layer"):
        LocalFeatures(3, (), 6)
