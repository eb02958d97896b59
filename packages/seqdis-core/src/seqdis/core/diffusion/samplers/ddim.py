"""DDIM: deterministic, stochastic, and its inversion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.samplers.base import Sampler, SamplerState, fresh_noise
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack

__all__ = ["DDIMSampler"]


class DDIMSampler(Sampler):
    """``x_r = D + √(r²−u²)·(x−D)/σ + u·ε``, ``u = η·(r/σ)·√(σ²−r²)`` (Song et al. 2021, Eq. 12 and 16).

    In the variable ``x₀ + σ·ε``, with ``D = D(x; σ)`` and the next level r. η = 0 is Euler's method on
    ``dx/dσ = (x − D)/σ`` and can be inverted; η = 1 is DDPM's ancestral sampling. ``NFE = N`` down and
    ``N − 1`` up, where each round of ``corrections`` adds as many again.

    Args:
        levels: See :class:`Sampler`.
        eta: η in [0, 1].
        corrections: Rounds of fixed-point iteration on each step of an inversion: they solve for the
            ``x`` from which the step down leads here, where plain inversion evaluates ``D`` at the
            wrong end of the step (Pan et al. 2023). They converge where levels lie close together.

    Raises:
        InputError: η lies outside [0, 1], or ``corrections`` is negative.
    """

    invertible: ClassVar[bool] = True

    def __init__(self, levels: Tensor | Sequence[float], *, eta: float = 0.0, corrections: int = 0) -> None:
        super().__init__(levels)
        if not 0 <= eta <= 1 or corrections < 0:
            raise InputError(
                f"DDIM needs eta in [0, 1] and corrections ≥ 0; got eta {eta}, corrections {corrections}"
            )
        self.eta, self.corrections = eta, corrections

    @property
    def draws(self) -> bool:
        """Whether η is above zero."""
        return self.eta > 0

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """One step down, or up where ``following`` is the higher level."""
        x, level = state.x, state.level
        denoised = denoise(x, level)
        if sigma_next > level:
            return self._up(denoise, state, sigma_next, denoised)
        fresh = self.eta * sigma_next / level * math.sqrt(level**2 - sigma_next**2)
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
        for _ in range(self.corrections):
            denoised = denoise(lifted, sigma_next)
            lifted = denoised + ratio * (x - denoised)
        return state.after(lifted, sigma_next, denoised, nfe=1 + self.corrections)
