"""EDM's second-order sampler, and the same ordinary differential equation run upward."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.noise import karras_levels
from seqdis.core.diffusion.samplers.config import SamplerConfig
from seqdis.core.errors import InputError
from seqdis.core.random import Rows

__all__ = ["EDMSampler", "SampleResult"]


@dataclass(frozen=True)
class SampleResult:
    """What a sampler returns.

    Attributes:
        x: ``(N, *frame)``: samples, or the noise that an inversion found.
        nfe: Evaluations of the denoiser.
    """

    x: Tensor
    nfe: int


class EDMSampler:
    """Heun's method on ``dx/dt = (x − D(x; t))/t`` with optional churn (Karras et al. 2022, Alg. 2).

    DiffSDA's Alg. 1 is this algorithm, conditioned; its listing evaluates ``D`` at ``x_i`` where
    the noise-lifted ``x̂_i`` is meant. State and sums are float64, whatever the network's precision.

    Args:
        config: Levels and churn.
    """

    def __init__(self, config: SamplerConfig) -> None:
        self.config = config
        self.levels = karras_levels(
            config.steps, sigma_min=config.sigma_min, sigma_max=config.sigma_max, rho=config.rho
        ).tolist()

    @torch.no_grad()
    def sample(
        self,
        denoise: DenoiseFunction,
        noise: Tensor,
        *,
        generator: Rows | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> SampleResult:
        """Integrate from ``noise`` at σ_max down to 0; ``NFE = 2N − 1``.

        Args:
            denoise: ``D(x, σ)``.
            noise: ``(N, *frame)`` with standard deviation σ_max: drawn, or from :meth:`invert`.
            generator: Source of the churn's fresh noise; N must be a multiple of its rows. Not
                needed when churn is 0.
            progress: ``progress(done, total)`` after each step.
        """
        c = self.config
        x, nfe = noise.double(), 0
        for i, (level, following) in enumerate(zip(self.levels[:-1], self.levels[1:], strict=True)):
            churn = c.s_churn > 0 and c.s_tmin <= level <= c.s_tmax
            gamma = min(c.s_churn / c.steps, math.sqrt(2) - 1) if churn else 0.0
            lifted = level * (1 + gamma)
            if gamma > 0:
                x = x + math.sqrt(lifted**2 - level**2) * c.s_noise * self._fresh(x, generator)
            x, used = self._heun(denoise, x, lifted, following)
            nfe += used
            if progress is not None:
                progress(i + 1, c.steps)
        return SampleResult(x, nfe)

    @torch.no_grad()
    def invert(
        self, denoise: DenoiseFunction, x: Tensor, *, progress: Callable[[int, int], None] | None = None
    ) -> SampleResult:
        """Integrate from ``x`` at σ_min up to σ_max (DiffSDA, Alg. 2): the noise that gives ``x`` back.

        Every step is corrected, the last one too, where the listing stops at Euler's: the way down
        is second order throughout, and so must be the way up. ``NFE = 2N − 2``.
        """
        levels = self.levels[-2::-1]
        x, nfe = x.double(), 0
        for i, (level, following) in enumerate(itertools.pairwise(levels)):
            x, used = self._heun(denoise, x, level, following)
            nfe += used
            if progress is not None:
                progress(i + 1, len(levels) - 1)
        return SampleResult(x, nfe)

    def _heun(
        self, denoise: DenoiseFunction, x: Tensor, level: float, following: float
    ) -> tuple[Tensor, int]:
        slope = (x - self._at(denoise, x, level)) / level
        euler = torch.add(x, slope, alpha=following - level)
        if following == 0:
            return euler, 1
        second = (euler - self._at(denoise, euler, following)) / following
        return torch.add(x, slope.add_(second), alpha=(following - level) / 2), 2

    @staticmethod
    def _at(denoise: DenoiseFunction, x: Tensor, level: float) -> Tensor:
        return denoise(x, torch.full((len(x),), level, dtype=x.dtype, device=x.device))

    @staticmethod
    def _fresh(x: Tensor, generator: Rows | None) -> Tensor:
        if generator is None:
            raise InputError("a sampler with churn draws fresh noise: it needs generator=")
        rows = len(generator)
        return generator.draw("randn", (rows, len(x) // rows, *x.shape[1:]), x.device, x.dtype).flatten(0, 1)
