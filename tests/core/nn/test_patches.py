from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.nn.patches import PatchedDenoiser, patched_shape


class Moving(nn.Module):
    """Moves what it is given by one place down, and adds what its conditions are."""

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        assert x.shape[1:] == (12, 4, 3)
        return x.roll(1, dims=2) + (c_noise + z[:, 0])[:, None, None, None]


def test_a_place_of_the_network_is_a_patch_of_the_picture() -> None:
    x = torch.randn(5, 3, 8, 6, generator=torch.Generator().manual_seed(0))
    c_noise, z = torch.arange(5.0), torch.arange(10.0).view(5, 2)
    moved = PatchedDenoiser(Moving(), 2)(x, c_noise, z)
    torch.testing.assert_close(moved, x.roll(2, dims=2) + (c_noise + z[:, 0])[:, None, None, None])


def test_shapes() -> None:
    assert patched_shape((3, 8, 6), 2) == (12, 4, 3)
    assert patched_shape((3, 8, 6), 1) == (3, 8, 6)
    assert patched_shape((7,), 1) == (7,)


@pytest.mark.parametrize(("shape", "patch"), [((3, 8, 6), 4), ((3, 8, 7), 2), ((7,), 2)])
def test_what_cannot_be_cut_says_so(shape: tuple[int, ...], patch: int) -> None:
    with pytest.raises(
        InputError, match=rf"patches of {patch}x{patch} in frames of shape .* must divide both sides"
    ):
        patched_shape(shape, patch)
