"""Ancestral sampling of DDPM."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.samplers.base import Sampler, SamplerState, fresh_noise
from seqdis.core.random import GeneratorStack

__all__ = ["DDPMSampler"]


class DDPMSampler(Sampler):
    """Draws from ``q(x_r | x_σ, x₀ = D(x_σ; σ))`` down the levels (Ho et al. 2020, Eq. 6-7 and Alg. 2).

    For ``x_σ = x₀ + σ·ε`` and the next level r the posterior is
    ``N(D + (r²/σ²)(x_σ − D), r²(σ²−r²)/σ²)``. ``NFE = N``.

    Args:
        levels: See :class:`Sampler`.
        variance: ``"posterior"``: the one above (β̃, right for a single point of data); ``"beta"``: β, the
            forward process' own, ``(σ²−r²)(1+r²)/(1+σ²)`` (right for data of a standard normal).
    """

    def __init__(
        self,
        levels: Tensor | Sequence[float],
        *,
        variance: Literal["posterior", "beta"] = "posterior",
    ) -> None:
        super().__init__(levels)
        self.variance = variance

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """The posterior's mean, and fresh noise unless the next level is 0."""
        x, level = state.x, state.level
        denoised = denoise(x, level)
        mean = denoised + (sigma_next / level) ** 2 * (x - denoised)
        if sigma_next == 0:
            return state.after(mean, sigma_next, denoised)
        added = level**2 - sigma_next**2
        if self.variance == "posterior":
            variance = added * (sigma_next / level) ** 2
        else:
            variance = added * (1 + sigma_next**2) / (1 + level**2)
        return state.after(mean + math.sqrt(variance) * fresh_noise(x, rows), sigma_next, denoised)
