"""Noise levels: how training draws σ, and which levels a sampler visits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.random import Rows, randn

__all__ = ["LogNormalNoise", "karras_levels"]


@dataclass(frozen=True)
class LogNormalNoise:
    """``ln σ ~ N(P_mean, P_std²)`` (Karras et al. 2022, Tab. 1; DiffSDA, Tab. 6 and 7)."""

    p_mean: float
    p_std: float

    def draw(self, shape: tuple[int, ...], *, generator: Rows, device: torch.device | str = "cpu") -> Tensor:
        """σ of the given shape, its first dimension the rows of ``generator``."""
        return (self.p_mean + self.p_std * randn(shape, generator=generator, device=device)).exp()


def karras_levels(
    steps: int, *, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0
) -> Tensor:
    """``t_i = (σ_max^{1/ρ} + i/(N−1) · (σ_min^{1/ρ} − σ_max^{1/ρ}))^ρ`` for i < N, then ``t_N = 0``.

    Args:
        steps: N, at least 2.
        sigma_min: The last level above zero.
        sigma_max: The first level.
        rho: Larger puts more of the levels near ``sigma_min``.

    Returns:
        ``(N + 1,)`` in float64, falling (Karras et al. 2022, Eq. 5).

    Raises:
        InputError: Fewer than two steps, or not ``0 < sigma_min < sigma_max``.
    """
    if steps < 2 or not 0 < sigma_min < sigma_max:
        raise InputError(
            f"noise levels need steps ≥ 2 and 0 < sigma_min < sigma_max; got {steps}, {sigma_min}, {sigma_max}"
        )
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return torch.cat([(high + ramp * (low - high)) ** rho, ramp.new_zeros(1)])
