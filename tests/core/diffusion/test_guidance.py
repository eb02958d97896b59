"""Classifier-free guidance: its formula, its interval, and what it costs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.diffusion.guidance import drop_conditions, guide
from seqdis.core.errors import InputError


def conditional(x: Tensor, sigma: float) -> Tensor:
    return x + 1


def null(x: Tensor, sigma: float) -> Tensor:
    return 3 * x


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0, 7.5])
def test_the_formula(weight: float) -> None:
    x = torch.randn(4, 2)
    guided = guide(conditional, null, weight=weight)(x, 0.7)
    torch.testing.assert_close(guided, (1 - weight) * 3 * x + weight * (x + 1))


def test_outside_its_interval_and_at_one_it_costs_nothing() -> None:
    def never(x: Tensor, sigma: float) -> Tensor:
        raise AssertionError("the unconditional network was asked")

    x = torch.randn(4, 2)
    assert guide(conditional, never, weight=1) is conditional
    limited = guide(conditional, null, weight=2, interval=(0.1, 1.0))
    outside = guide(conditional, never, weight=2, interval=(0.1, 1.0))
    for level in (0.05, 1.5):
        assert torch.equal(outside(x, level), x + 1)
    for level in (0.1, 0.5, 1.0):
        torch.testing.assert_close(limited(x, level), 2 * (x + 1) - 3 * x)


def test_dropped_rows_have_the_null_condition() -> None:
    z = torch.randn(2, 3, 4)
    dropped = torch.tensor([[True, False, False], [False, False, True]])
    out = drop_conditions(z, dropped)
    assert out[0, 0].abs().max() == out[1, 2].abs().max() == 0
    assert torch.equal(out[~dropped], z[~dropped])


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match="weight ≥ 0"):
        guide(conditional, null, weight=-1)
    with pytest.raises(InputError, match="low ≤ high"):
        guide(conditional, null, weight=2, interval=(2.0, 1.0))
