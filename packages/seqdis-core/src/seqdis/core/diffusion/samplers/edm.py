"""EDM's second-order sampler, and the same ordinary differential equation run upward."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from seqdis.core.diffusion.samplers.base import Sampler, fresh_noise
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import SamplerState

if TYPE_CHECKING:
    from seqdis.core.diffusion.denoiser import DenoiseFunction
    from seqdis.core.random import GeneratorStack

__all__ = ["EDMConfig", "EDMSampler"]


class EDMConfig(SamplerConfig):
    """Settings of EDM's sampler; it evaluates the network ``2·steps − 1`` times (DiffSDA, Alg. 1)."""

    kind: Literal["edm"] = "edm"
    s_churn: float = Field(0.0, ge=0, description="fresh noise of a whole trajectory; 0 is deterministic")
    s_tmin: float = Field(0.0, ge=0, description="churn at this level σ and above only")
    s_tmax: float = Field(1e9, gt=0, description="churn at this level σ and below only")
    s_noise: float = Field(1.0, gt=0, description="standard deviation of the fresh noise")


class EDMSampler(Sampler):
    """Heun's method on the probability-flow ODE, with fresh noise where ``s_churn`` is above zero (EDM).

    ``dx/dσ = (x − D(x; σ))/σ`` (Karras et al. 2022, Alg. 2). DiffSDA's Alg. 1 is this algorithm, conditioned;
    its listing evaluates ``D`` at ``x_i`` where the noise-lifted ``x̂_i`` is meant. ``NFE = 2N − 1`` down;
    ``2N − 2`` up, where every step is corrected, the last one too, at which DiffSDA's Alg. 2 stops at Euler's:
    the way down is second order throughout, and so must be the way up.
    """

    config_class: ClassVar[type[SamplerConfig]] = EDMConfig
    config: EDMConfig
    invertible: ClassVar[bool] = True
    noiseless: ClassVar[dict[str, Any]] = {"s_churn": 0.0}

    @property
    def draws(self) -> bool:
        """Whether there is churn at any level."""
        return any(self._gamma(level) > 0 for level in self.sigmas[:-1])

    def _gamma(self, level: float) -> float:
        c = self.config
        if c.s_churn <= 0 or not c.s_tmin <= level <= c.s_tmax:
            return 0.0
        return min(c.s_churn / (len(self.sigmas) - 1), math.sqrt(2) - 1)

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
            x = x + math.sqrt(lifted**2 - level**2) * self.config.s_noise * fresh_noise(x, rows)
            level = lifted
        # In the fewest operations on x, for on a small network each counts: Euler's step
        # x + (σ' − σ)·(x − D)/σ lies between x and D, and Heun's between x and Euler's point, plus
        # (σ' − σ)/2 times the second slope.
        denoised = denoise(x, level)
        euler = x.lerp(denoised, 1 - sigma_next / level)
        if sigma_next == 0:
            return state.after(euler, sigma_next, denoised)
        denoised = denoise(euler, sigma_next)
        half = (sigma_next - level) / (2 * sigma_next)
        corrected = x.lerp(euler, 0.5).add_(euler - denoised, alpha=half)
        return state.after(corrected, sigma_next, denoised, nfe=2)
