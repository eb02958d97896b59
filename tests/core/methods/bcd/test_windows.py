from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.methods.bcd.windows import HalfOverlap


@pytest.mark.parametrize(("total", "length"), [(8, 4), (9, 4), (11, 4), (5, 5), (13, 6), (10, 3), (7, 2)])
def test_what_is_cut_comes_back(total: int, length: int) -> None:
    x = torch.randn(3, total, 2, 5, generator=torch.Generator().manual_seed(0))
    windows = HalfOverlap(total, length)
    parts = windows.cut(x)
    assert parts.shape == (3 * windows.count, length, 2, 5)
    assert torch.equal(parts[0], x[0, :length])
    assert torch.equal(parts[windows.count - 1], x[0, -length:])
    assert torch.equal(windows.choose(parts), x)
    torch.testing.assert_close(windows.blend(parts), x)


def test_a_step_comes_from_the_window_that_it_lies_furthest_inside() -> None:
    windows = HalfOverlap(8, 4)  # at 0, 2 and 4
    which = torch.arange(3.0)[:, None, None].expand(3, 4, 1)
    assert windows.choose(which)[0, :, 0].tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    # Weights by hand: steps 2 and 3 lie 2 and 1 from the end of the first window, 1 and 2 from the start of the next.
    blended = windows.blend(which)[0, :, 0]
    expected = torch.tensor([0, 0, 1 / 3, 2 / 3, 4 / 3, 5 / 3, 2, 2])
    torch.testing.assert_close(blended, expected)


@pytest.mark.parametrize(("total", "length"), [(4, 5), (4, 1)])
def test_windows_that_do_not_fit_are_refused(total: int, length: int) -> None:
    with pytest.raises(InputError, match=f"windows of {length} steps over {total}"):
        HalfOverlap(total, length)
