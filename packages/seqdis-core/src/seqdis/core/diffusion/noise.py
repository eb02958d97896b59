"""Noise levels: how training draws σ, which levels a sampler visits, and the schedules they come from.

One variable runs through the engine: ``σ``, the noise of ``x₀ + σ·ε``. A variance-preserving process
``x_t = √ᾱ_t·x₀ + √(1−ᾱ_t)·ε`` is the same process after division by ``√ᾱ_t``, with
``σ_t = √((1−ᾱ_t)/ᾱ_t)``, so that every sampler runs on every schedule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack, rand, randn

__all__ = ["DiscreteSchedule", "LogNormalNoise", "cosine_schedule", "karras_levels", "linear_schedule"]


@dataclass(frozen=True)
class LogNormalNoise:
    """``ln σ ~ N(P_mean, P_std²)`` (Karras et al. 2022, Tab. 1; DiffSDA, Tab. 6 and 7)."""

    p_mean: float
    p_std: float

    def draw(
        self, shape: tuple[int, ...], *, generator: GeneratorStack, device: torch.device | str = "cpu"
    ) -> Tensor:
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


@dataclass(frozen=True)
class DiscreteSchedule:
    """A variance-preserving chain of T steps (Ho et al. 2020): ``ᾱ_t = Π_{u≤t} (1 − β_u)``, t = 0 … T−1.

    Attributes:
        betas: Variance that each step adds, ``(T,)`` in float64, each in (0, 1).

    Raises:
        InputError: A variance lies outside (0, 1), or there are fewer than two.
    """

    betas: Tensor

    def __post_init__(self) -> None:
        betas = self.betas.double()
        if betas.ndim != 1 or len(betas) < 2 or not bool(((betas > 0) & (betas < 1)).all()):
            raise InputError("a discrete schedule needs betas (T,) with T ≥ 2, each in (0, 1)")
        object.__setattr__(self, "betas", betas)
        alpha_bar = (1 - betas).cumprod(0)
        object.__setattr__(self, "sigmas", ((1 - alpha_bar) / alpha_bar).sqrt())

    sigmas: Tensor = None  # type: ignore[assignment]
    """``σ_t``, rising, ``(T,)`` in float64; computed."""

    def __len__(self) -> int:
        return len(self.betas)

    def time(self, sigma: Tensor) -> Tensor:
        """The (fractional) step t at which the process has noise σ; linear in ``ln σ`` in between.

        Args:
            sigma: Any shape; below the first or above the last level gives 0 or T − 1.
        """
        known = self.sigmas.to(sigma.device).log()
        wanted = sigma.double().log().clamp(known[0], known[-1])
        upper = torch.searchsorted(known, wanted.contiguous()).clamp(1, len(known) - 1)
        low, high = known[upper - 1], known[upper]
        return upper - 1 + (wanted - low) / (high - low)

    def timesteps(self, steps: int, *, spacing: Literal["linspace", "trailing"] = "trailing") -> Tensor:
        """N falling integers of 0 … T−1, the first T − 1.

        Args:
            steps: N, from 1 (``linspace``: 2) to T.
            spacing: ``"trailing"``: ``round(T − i·T/N) − 1``; ``"linspace"``: both ends and evenly between
                (Lin et al. 2024, Tab. 2, compares them).

        Raises:
            InputError: N is out of range.
        """
        least = 2 if spacing == "linspace" else 1
        if not least <= steps <= len(self):
            raise InputError(f"steps {steps}: allowed for this schedule: {least} to {len(self)}")
        if spacing == "linspace":
            return torch.linspace(len(self) - 1, 0, steps, dtype=torch.float64, device="cpu").round().long()
        done = torch.arange(steps, dtype=torch.float64, device="cpu") * (len(self) / steps)
        return (len(self) - done).round().long() - 1

    def levels(self, steps: int, *, spacing: Literal["linspace", "trailing"] = "trailing") -> Tensor:
        """σ at :meth:`timesteps`, then 0: ``(N + 1,)`` in float64, falling, for any sampler."""
        chosen = self.sigmas[self.timesteps(steps, spacing=spacing)]
        return torch.cat([chosen, chosen.new_zeros(1)])

    def draw(
        self, shape: tuple[int, ...], *, generator: GeneratorStack, device: torch.device | str = "cpu"
    ) -> Tensor:
        """σ of a uniformly drawn step, float32; the first dimension is the rows of ``generator``."""
        steps = (rand(shape, generator=generator, device=device) * len(self)).long().clamp(max=len(self) - 1)
        return self.sigmas.to(device=steps.device, dtype=torch.float32)[steps]


def linear_schedule(
    timesteps: int = 1000, *, beta_start: float = 1e-4, beta_end: float = 0.02
) -> DiscreteSchedule:
    """``β_t`` rising linearly from ``beta_start`` to ``beta_end`` (Ho et al. 2020, Sec. 4)."""
    # On the CPU whatever the default device is: a schedule is checked and read number by number.
    return DiscreteSchedule(
        torch.linspace(beta_start, beta_end, timesteps, dtype=torch.float64, device="cpu")
    )


def cosine_schedule(
    timesteps: int = 1000, *, offset: float = 0.008, max_beta: float = 0.999
) -> DiscreteSchedule:
    """``ᾱ(t) = cos²((t/T + s)/(1 + s)·π/2)``, ``β_t = min(1 − ᾱ(t+1)/ᾱ(t), max_beta)`` (Nichol & Dhariwal 2021, Eq. 17)."""
    t = torch.arange(timesteps + 1, dtype=torch.float64, device="cpu") / timesteps
    alpha_bar = ((t + offset) / (1 + offset) * (math.pi / 2)).cos().square()
    return DiscreteSchedule((1 - alpha_bar[1:] / alpha_bar[:-1]).clamp(max=max_beta))
