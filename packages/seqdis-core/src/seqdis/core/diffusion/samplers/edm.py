"""EDM's second-order sampler, and the same ordinary differential equation run upward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.samplers.base import Sampler, SamplerState, fresh_noise
from seqdis.core.random import GeneratorStack

__all__ = ["EDMSampler"]


class EDMSampler(Sampler):
    """Heun's method on ``dx/dσ = (x − D(x; σ))/σ`` with optional churn (Karras et al. 2022, Alg. 2).

    DiffSDA's Alg. 1 is this algorithm, conditioned; its listing evaluates ``D`` at ``x_i`` where
    the noise-lifted ``x̂_i`` is meant. ``NFE = 2N − 1`` down; ``2N − 2`` up, where every step is corrected,
    the last one too, at which DiffSDA's Alg. 2 stops at Euler's: the way down is second order
    throughout, and so must be the way up.

    Args:
        levels: See :class:`Sampler`.
        s_churn: Fresh noise of a whole trajectory; 0 is deterministic.
        s_tmin: Churn at this level and above only.
        s_tmax: Churn at this level and below only.
        s_noise: Standard deviation of the fresh noise.
    """

    invertible: ClassVar[bool] = True

    def __init__(
        self,
        levels: Tensor | Sequence[float],
        *,
        s_churn: float = 0.0,
        s_tmin: float = 0.0,
        s_tmax: float = math.inf,
        s_noise: float = 1.0,
    ) -> None:
        super().__init__(levels)
        self.s_churn, self.s_tmin, self.s_tmax, self.s_noise = s_churn, s_tmin, s_tmax, s_noise

    @property
    def draws(self) -> bool:
        """Whether there is churn at any level."""
        return any(self._gamma(level) > 0 for level in self.levels[:-1])

    def _gamma(self, level: float) -> float:
        if self.s_churn <= 0 or not self.s_tmin <= level <= self.s_tmax:
            return 0.0
        return min(self.s_churn / (len(self.levels) - 1), math.sqrt(2) - 1)

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """Lift by churn, Euler's step, and its correction unless the next level is 0."""
        x, level = state.x, state.level
        gamma = self._gamma(level) if sigma_next < level else 0.0
        if gamma > 0:
            lifted = level * (1 + gamma)
            x = x + math.sqrt(lifted**2 - level**2) * self.s_noise * fresh_noise(x, rows)
            level = lifted
        # In the fewest operations on x, for on a small network each counts: Euler's step
        # x + (σ' − σ)·(x − D)/σ lies between x and D, and Heun's between x and Euler's point, plus
        # (σ' − σ)/2 times the second slope.
        denoised = denoise(x, level)
        euler = torch.lerp(x, denoised, 1 - sigma_next / level)
        if sigma_next == 0:
            return state.after(euler, sigma_next, denoised)
        denoised = denoise(euler, sigma_next)
        half = (sigma_next - level) / (2 * sigma_next)
        corrected = torch.lerp(x, euler, 0.5).add_(euler - denoised, alpha=half)
        return state.after(corrected, sigma_next, denoised, nfe=2)
