"""UniPC: a multistep predictor whose corrector costs no evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import Estimate, SamplerState

if TYPE_CHECKING:
    from torch import Tensor

    from seqdis.core.diffusion.denoiser import DenoiseFunction
    from seqdis.core.random import GeneratorStack

__all__ = ["UniPCConfig", "UniPCSampler"]


class UniPCConfig(SamplerConfig):
    """Settings of UniPC; it evaluates the network ``steps`` times."""

    kind: Literal["unipc"] = "unipc"
    order: int = Field(
        2,
        ge=1,
        le=3,
        description="order p of the predictor; the first steps, and the one to σ = 0, are of a lower one",
    )


class UniPCSampler(Sampler):
    """A multistep predictor of the data prediction, and a corrector that costs no evaluation (UniPC).

    UniP-p and UniC-p with ``B(h) = e^h − 1`` (Zhao et al. 2023, Alg. 5-8): with ``λ = −ln σ``,
    ``h = λ_{i+1} − λ_i``, ``r_m = (λ_{i−m} − λ_i)/h`` and ``Δ_m = (D_{i−m} − D_i)/r_m``,
    ``x_{i+1} = (σ_{i+1}/σ_i)·x_i − (e^{−h}−1)·[D_i + Σ_m ρ_m·Δ_m]``, where the ``ρ`` solve ``R ρ = b`` with
    ``R_{km} = r_m^{k−1}`` and ``b`` the moments of the exponential. After the evaluation at the new
    point the step is taken again with it among the ``D`` (``r = 1``), which raises the order by one.
    ``NFE = N``.
    """

    config_class: ClassVar[type[SamplerConfig]] = UniPCConfig
    config: UniPCConfig
    invertible: ClassVar[bool] = True

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
            x = self._move(state.previous, memory[-self.config.order :], here, level)
        memory = (*memory, here)[-3:]
        if sigma_next == 0:
            moved = denoised
        else:
            # At the last step above zero a high order would extrapolate over a long way in λ.
            order = min(self.config.order, len(memory), max(1, state.steps - state.step))
            moved = self._move(x, memory[-order:], None, sigma_next)
        return replace(state.after(moved, sigma_next, denoised), memory=memory, previous=x)

    @staticmethod
    def _move(x: Tensor, known: Sequence[Estimate], ahead: Estimate | None, sigma_next: float) -> Tensor:
        """From the newest of ``known`` to ``sigma_next``, with the estimate at that level if there is one."""
        start = known[-1]
        h = math.log(start.level / sigma_next)
        others = [*known[:-1], *([ahead] if ahead is not None else [])]
        ratios = [math.log(start.level / other.level) / h for other in others]
        moved = (sigma_next / start.level) * x - math.expm1(-h) * start.denoised
        for ratio, weight, other in zip(ratios, _weights(ratios, h), others, strict=True):
            moved = moved.add(other.denoised - start.denoised, alpha=-math.expm1(-h) * weight / ratio)
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
    import numpy as np

    matrix = np.vander(np.asarray(ratios), increasing=True).T
    return [float(value) for value in np.linalg.solve(matrix, np.asarray(right))]
