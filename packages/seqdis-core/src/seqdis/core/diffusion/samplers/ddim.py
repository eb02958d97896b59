"""DDIM: deterministic or with fresh noise, and its inversion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from seqdis.core.diffusion.samplers.base import Sampler, fresh_noise
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import SamplerState

if TYPE_CHECKING:
    from torch import Tensor

    from seqdis.core.diffusion.denoiser import DenoiseFunction
    from seqdis.core.random import GeneratorStack

__all__ = ["DDIMConfig", "DDIMSampler"]


class DDIMConfig(SamplerConfig):
    """Settings of DDIM; it evaluates the network ``steps`` times."""

    kind: Literal["ddim"] = "ddim"
    eta: float = Field(0.0, ge=0, le=1, description="fresh noise η; 0 is deterministic, 1 is DDPM")
    corrections: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="fixed-point rounds of each step of an inversion; they converge where levels lie close together",
    )


class DDIMSampler(Sampler):
    """Euler's method on the probability-flow ODE, with fresh noise where ``eta`` is above zero (DDIM).

    ``x_r = D + √(r²−u²)·(x−D)/σ + u·ε``, ``u = η·(r/σ)·√(σ²−r²)`` (Song et al. 2021, Eq. 12 and 16), in the
    variable ``x₀ + σ·ε``, with ``D = D(x; σ)`` and the next level r. η = 0 is Euler's method on
    ``dx/dσ = (x − D)/σ`` and can be inverted; η = 1 is DDPM's ancestral sampling. ``NFE = N`` down and
    ``N − 1`` up, where each round of ``corrections`` adds as many again: they solve for the ``x`` from which
    the step down leads here, where plain inversion evaluates ``D`` at the wrong end of the step (Pan et al.
    2023).
    """

    config_class: ClassVar[type[SamplerConfig]] = DDIMConfig
    config: DDIMConfig
    invertible: ClassVar[bool] = True
    noiseless: ClassVar[dict[str, Any]] = {"eta": 0.0}

    @property
    def draws(self) -> bool:
        """Whether η is above zero."""
        return self.config.eta > 0

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """One step down, or up where ``sigma_next`` is the higher level."""
        x, level = state.x, state.level
        denoised = denoise(x, level)
        if sigma_next > level:
            return self._up(denoise, state, sigma_next, denoised)
        fresh = self.config.eta * sigma_next / level * math.sqrt(level**2 - sigma_next**2)
        kept = math.sqrt(sigma_next**2 - fresh**2) / level
        moved = denoised + kept * (x - denoised)
        if fresh > 0:
            moved = moved + fresh * fresh_noise(x, rows)
        return state.after(moved, sigma_next, denoised)

    def _up(
        self, denoise: DenoiseFunction, state: SamplerState, sigma_next: float, denoised: Tensor
    ) -> SamplerState:
        x, ratio = state.x, sigma_next / state.level
        lifted = denoised + ratio * (x - denoised)
        for _ in range(self.config.corrections):
            denoised = denoise(lifted, sigma_next)
            lifted = denoised + ratio * (x - denoised)
        return state.after(lifted, sigma_next, denoised, nfe=1 + self.config.corrections)
