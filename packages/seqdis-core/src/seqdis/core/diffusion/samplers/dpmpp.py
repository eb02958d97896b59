"""DPM-Solver++(2M)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.samplers.base import Estimate, Sampler, SamplerState
from seqdis.core.random import GeneratorStack

__all__ = ["DPMSolverPP2MSampler"]


class DPMSolverPP2MSampler(Sampler):
    """Second-order multistep exponential integrator of the data prediction (Lu et al. 2022b, Alg. 2).

    With ``λ = −ln σ``, ``h = λ_{i+1} − λ_i`` and ``r = h_{i−1}/h_i``:
    ``x_{i+1} = (σ_{i+1}/σ_i)·x_i − (e^{−h} − 1)·[(1 + 1/2r)·D_i − (1/2r)·D_{i−1}]``.
    The first step, and the one to σ = 0, are of first order. ``NFE = N`` down, ``N − 1`` up.
    """

    invertible: ClassVar[bool] = True

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """One evaluation; the earlier one is remembered."""
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
