"""Classifier-free guidance, at all levels or within an interval of them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.errors import InputError

__all__ = ["GuidedDenoiser", "drop_conditions", "guide"]


def guide(
    conditional: DenoiseFunction,
    unconditional: DenoiseFunction,
    *,
    weight: float,
    interval: tuple[float, float] = (0.0, float("inf")),
) -> DenoiseFunction:
    """``D_w(x; σ) = D_∅(x; σ) + w·(D(x; σ, z) − D_∅(x; σ))`` for σ in the interval, else ``D(x; σ, z)``.

    w = 1 is the conditional denoiser, w = 0 the unconditional one, above 1 the condition counts for more
    (Ho & Salimans 2022, Eq. 6, whose w is ours less one). Guidance at middle levels alone keeps
    diversity (Kynkäänniemi et al. 2024). Where it is off, or w = 1, the unconditional pass is saved.

    Args:
        conditional: Denoiser ``D(x, σ)`` with its condition bound.
        unconditional: Denoiser ``D_∅(x, σ)`` with the null condition bound.
        weight: Weight w of the guidance, not negative.
        interval: Lowest and highest σ, both included.

    Raises:
        InputError: w is negative, or the interval is empty.
    """
    low, high = interval
    if weight < 0 or low > high:
        raise InputError(f"guidance needs weight ≥ 0 and an interval low ≤ high; got {weight} and {interval}")
    if weight == 1:
        return conditional

    def guided(x: Tensor, level: float) -> Tensor:
        if not low <= level <= high:
            return conditional(x, level)
        null = unconditional(x, level)
        return null if weight == 0 else null + weight * (conditional(x, level) - null)

    return guided


@dataclass(frozen=True)
class GuidedDenoiser:
    """A denoiser whose guidance is chosen when it is used: ``D_w(x; σ)`` of :func:`guide`.

    Attributes:
        bind: Function that binds conditions: ``z -> D(x, σ)``.
        z: The conditions; the null ones are zeros of their shape.
        weight: Weight w of the guidance; 1 is none.
        interval: Lowest and highest σ with guidance, both included.
    """

    bind: Callable[[Tensor], DenoiseFunction]
    z: Tensor
    weight: float
    interval: tuple[float, float]

    @functools.cached_property
    def _chosen(self) -> DenoiseFunction:
        return self.guided(self.weight, self.interval)

    def __call__(self, x: Tensor, level: float) -> Tensor:
        """``D_w(x; σ)``."""
        return self._chosen(x, level)

    def guided(self, weight: float, interval: tuple[float, float]) -> DenoiseFunction:
        """The function of noisy frames and one σ, with another guidance; see :func:`guide`."""
        if weight == 1:
            return self.bind(self.z)
        null = torch.zeros_like(self.z)
        return guide(self.bind(self.z), self.bind(null), weight=weight, interval=interval)


def drop_conditions(z: Tensor, dropped: Tensor) -> Tensor:
    """``z`` with the null condition (zeros) in the rows that were dropped.

    Args:
        z: Conditions, ``(B, V, Z)`` or ``(N, Z)``.
        dropped: True where the condition is taken away, shaped like the first dimensions of ``z``.
    """
    return torch.where(dropped.view(*dropped.shape, *(1,) * (z.ndim - dropped.ndim)), 0.0, z)
