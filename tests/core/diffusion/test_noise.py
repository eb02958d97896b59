from __future__ import annotations

import math

import pytest
import torch

from seqdis.core.diffusion.noise import LogNormalNoise, karras_levels
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack


def test_levels_agree_with_the_formula_written_out() -> None:
    steps, low, high, rho = 5, 0.01, 10.0, 3.0
    expected = []
    for i in range(steps):
        root = high ** (1 / rho) + i / (steps - 1) * (low ** (1 / rho) - high ** (1 / rho))
        expected.append(root**rho)
    levels = karras_levels(steps, sigma_min=low, sigma_max=high, rho=rho)
    assert levels.tolist() == pytest.approx([*expected, 0.0], rel=1e-12)


def test_levels_fall_from_sigma_max_to_sigma_min_and_end_at_zero() -> None:
    levels = karras_levels(32)
    assert levels[0].item() == pytest.approx(80)
    assert levels[-2].item() == pytest.approx(0.002)
    assert levels[-1] == 0
    assert bool((levels.diff() < 0).all())


@pytest.mark.parametrize(("steps", "low", "high"), [(1, 0.1, 1.0), (4, 1.0, 0.5), (4, 0.0, 1.0)])
def test_impossible_levels_are_refused(steps: int, low: float, high: float) -> None:
    with pytest.raises(InputError, match="steps ≥ 2 and 0 < sigma_min < sigma_max"):
        karras_levels(steps, sigma_min=low, sigma_max=high)


def test_the_logarithm_of_sigma_is_normal() -> None:
    rows = GeneratorStack.shard(0, 20_000, slice(0, 20_000))
    logs = LogNormalNoise(-1.2, 1.2).draw((20_000,), generator=rows).log()
    assert logs.mean().item() == pytest.approx(-1.2, abs=4 * 1.2 / math.sqrt(20_000))
    assert logs.std().item() == pytest.approx(1.2, rel=0.03)
    assert torch.isfinite(logs).all()
