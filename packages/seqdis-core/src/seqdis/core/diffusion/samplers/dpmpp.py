"""The sampler DPM-Solver++(2M)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import Estimate, SamplerState

if TYPE_CHECKING:
    from seqdis.core.diffusion.denoiser import DenoiseFunction
    from seqdis.core.random import GeneratorStack

__all__ = ["DPMPPConfig", "DPMPPSampler"]


class DPMPPConfig(SamplerConfig):
    """Settings of DPM-Solver++(2M); it evaluates the network ``steps`` times."""

    kind: Literal["dpmpp"] = "dpmpp"


class DPMPPSampler(Sampler):
    """Second-order multistep exponential integrator of the data prediction (DPM-Solver++(2M)).

    Lu et al. 2022b, Alg. 2: with ``λ = −ln σ``, ``h = λ_{i+1} − λ_i`` and ``r = h_{i−1}/h_i``,
    ``x_{i+1} = (σ_{i+1}/σ_i)·x_i − (e^{−h} − 1)·[(1 + 1/2r)·D_i − (1/2r)·D_{i−1}]``.
    The first step, and the one to σ = 0, are of first order. ``NFE = N`` down, ``N − 1`` up.
    """

    config_class: ClassVar[type[SamplerConfig]] = DPMPPConfig
    config: DPMPPConfig
    invertible: ClassVar[bool] = True

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """Take one step with one evaluation of the denoiser; the estimate of the step before is reused."""
        x, level = state.x, state.level
        denoised = denoise(x, level)
        newest = Estimate(level, denoised)
        if sigma_next == 0:
            return replace(state.after(denoised, sigma_next, denoised), memory=(newest,))
        h = math.log(level / sigma_next)
        slope = denoised
        if state.memory:
            earlier = state.memory[-1]
            half = 0.5 * h / math.log(earlier.level / level)  # 1/2r
            slope = (1 + half) * denoised - half * earlier.denoised
        moved = (sigma_next / level) * x - math.expm1(-h) * slope
        return replace(state.after(moved, sigma_next, denoised), memory=(newest,))
