"""Ancestral sampling of DDPM."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from seqdis.core.diffusion.samplers.base import Sampler, fresh_noise
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import SamplerState

if TYPE_CHECKING:
    from seqdis.core.diffusion.denoiser import DenoiseFunction
    from seqdis.core.random import GeneratorStack

__all__ = ["DDPMConfig", "DDPMSampler"]


class DDPMConfig(SamplerConfig):
    """Settings of ancestral sampling; it evaluates the network ``steps`` times."""

    kind: Literal["ddpm"] = "ddpm"
    variance: Literal["posterior", "beta"] = Field(
        "posterior",
        description="variance of the fresh noise; posterior: β̃, exact for data of a single point; beta: β, that of "
        "the forward process, exact for standard normal data",
    )


class DDPMSampler(Sampler):
    """Ancestral sampling: a draw from the posterior of the next level, given the estimate (DDPM).

    ``q(x_r | x_σ, x₀ = D(x_σ; σ))`` down the levels (Ho et al. 2020, Eq. 6-7 and Alg. 2). For
    ``x_σ = x₀ + σ·ε`` and the next level r it is ``N(D + (r²/σ²)(x_σ − D), r²(σ²−r²)/σ²)``; with
    ``variance="beta"`` the variance is ``(σ²−r²)(1+r²)/(1+σ²)``. ``NFE = N``.
    """

    config_class: ClassVar[type[SamplerConfig]] = DDPMConfig
    config: DDPMConfig

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
        if self.config.variance == "posterior":
            variance = added * (sigma_next / level) ** 2
        else:
            variance = added * (1 + sigma_next**2) / (1 + level**2)
        return state.after(mean + math.sqrt(variance) * fresh_noise(x, rows), sigma_next, denoised)
