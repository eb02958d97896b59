from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.nn.passes import FRAMES_A_PASS, each_frame, in_passes


class Counted:
    """A function of single frames that lists how many it got."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, frames: Tensor) -> Tensor:
        self.sizes.append(len(frames))
        return frames.sum(1)


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_without_gradients_passes_on_a_cpu_have_the_same_size_whatever_is_asked_for(size: int) -> None:
    y = torch.randn(5, 20, 3)
    function = Counted()
    with torch.no_grad():
        result = each_frame(function, y, size=size)
    assert torch.equal(result, y.sum(2))
    whole, rest = divmod(100, FRAMES_A_PASS)
    assert function.sizes == [FRAMES_A_PASS] * whole + [rest]


def test_with_gradients_all_frames_pass_at_once() -> None:
    function = Counted()
    each_frame(function, torch.randn(5, 20, 3, requires_grad=True), size=1)
    assert function.sizes == [100]


@pytest.mark.parametrize(("size", "sizes"), [(4, [4, 4, 2]), (10, [10]), (11, [10])])
def test_passes_are_as_large_as_asked_for_and_join_to_the_whole(size: int, sizes: list[int]) -> None:
    x, function = torch.randn(10, 3), Counted()
    assert torch.equal(in_passes(function, (x,), size), x.sum(1))
    assert function.sizes == sizes
