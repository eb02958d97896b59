"""UniPC: a multistep predictor whose corrector costs no evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.samplers.base import Estimate, Sampler, SamplerState
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack

__all__ = ["UniPCSampler"]


class UniPCSampler(Sampler):
    """UniP-p and UniC-p on the data prediction, ``B(h) = e^h − 1`` (Zhao et al. 2023, Alg. 5-8).

    With ``λ = −ln σ``, ``h = λ_{i+1} − λ_i``, ``r_m = (λ_{i−m} − λ_i)/h`` and
    ``Δ_m = (D_{i−m} − D_i)/r_m``:
    ``x_{i+1} = (σ_{i+1}/σ_i)·x_i − (e^{−h}−1)·[D_i + Σ_m ρ_m·Δ_m]``, where the ``ρ`` solve ``R ρ = b`` with
    ``R_{km} = r_m^{k−1}`` and ``b`` the moments of the exponential. After the evaluation at the new
    point the step is taken again with it among the ``D`` (``r = 1``), which raises the order by one.
    ``NFE = N``.

    Args:
        levels: See :class:`Sampler`.
        order: p, 1 to 3; the first steps, and the one to σ = 0, are of a lower one.

    Raises:
        InputError: The order is none of these.
    """

    invertible: ClassVar[bool] = True

    def __init__(self, levels: Tensor | Sequence[float], *, order: int = 2) -> None:
        super().__init__(levels)
        if order not in (1, 2, 3):
            raise InputError(f"UniPC order {order}; allowed: 1, 2, 3")
        self.order = order

    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """Evaluate, correct the step that led here, predict the next one."""
        x, level = state.x, state.level
        denoised = denoise(x, level)
        here, memory = Estimate(level, denoised), state.memory
        if memory and state.previous is not None:
            x = self._move(state.previous, memory[-self.order :], here, level)
        memory = (*memory, here)[-3:]
        if sigma_next == 0:
            moved = denoised
        else:
            # At the last step above zero a high order would extrapolate over a long way in λ.
            order = min(self.order, len(memory), max(1, state.steps - state.step))
            moved = self._move(x, memory[-order:], None, sigma_next)
        return replace(state.after(moved, sigma_next, denoised), memory=memory, previous=x)

    @staticmethod
    def _move(x: Tensor, known: Sequence[Estimate], found: Estimate | None, sigma_next: float) -> Tensor:
        """From the newest of ``known`` to ``following``, with the estimate found there if any."""
        start = known[-1]
        h = math.log(start.level / sigma_next)
        others = [*known[:-1], *([found] if found is not None else [])]
        ratios = [math.log(start.level / other.level) / h for other in others]
        moved = (sigma_next / start.level) * x - math.expm1(-h) * start.denoised
        for ratio, weight, other in zip(ratios, _weights(ratios, h), others, strict=True):
            moved = torch.add(moved, other.denoised - start.denoised, alpha=-math.expm1(-h) * weight / ratio)
        return moved


def _weights(ratios: Sequence[float], h: float) -> list[float]:
    """The ρ of ``Σ_m r_m^{k−1}·ρ_m = k!·φ_{k+1}(−h)·(−h)/(e^{−h}−1)``, k = 1 … p; ½ for p = 1, as the paper takes."""
    if len(ratios) < 2:
        return [0.5] * len(ratios)
    phi, factorial, right = math.expm1(-h) / -h - 1, 1.0, []
    for k in range(1, len(ratios) + 1):
        right.append(phi * factorial / math.expm1(-h))
        factorial *= k + 1
        phi = phi / -h - 1 / factorial
    matrix = np.vander(np.asarray(ratios), increasing=True).T
    return [float(value) for value in np.linalg.solve(matrix, np.asarray(right))]
