"""Preconditioning: the quantity that a network predicts, and the way from it to an estimate of the clean frame.

Every kind is a row of one table: ``D(x; σ) = c_skip·x + c_out·F(c_in·x; c_noise)`` with ``x = x₀ + σ·ε``
(Karras et al. 2022, Eq. 7). What ``F`` should give is then ``(x₀ − c_skip·x)/c_out``.

================  ==================  ====================  ==============  ===========
``F`` predicts    c_skip              c_out                 c_in            c_noise
================  ==================  ====================  ==============  ===========
EDM's mixture     σ_d²/(σ²+σ_d²)      σ·σ_d/√(σ²+σ_d²)      1/√(σ²+σ_d²)    ln(σ)/4
ε                 1                   −σ                    1/√(1+σ²)       t(σ)
v = α·ε − σ̂·x₀    1/(1+σ²)            −σ/√(1+σ²)            1/√(1+σ²)       t(σ)
x₀                0                   1                     1/√(1+σ²)       t(σ)
================  ==================  ====================  ==============  ===========

The last three are written for variance-preserving training, where the network sees
``x_t = x/√(1+σ²)``, ``α = 1/√(1+σ²)``, ``σ̂ = σ/√(1+σ²)`` and the step t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from seqdis.core.diffusion.noise import DiscreteSchedule

__all__ = [
    "Coefficients",
    "EDMPreconditioning",
    "EpsilonPreconditioning",
    "Preconditioning",
    "SamplePreconditioning",
    "VelocityPreconditioning",
    "convert_prediction",
]


@dataclass(frozen=True)
class Coefficients:
    """``c_skip, c_out, c_in`` and ``c_noise`` of some levels, each shaped like ``sigma``."""

    c_skip: Tensor
    c_out: Tensor
    c_in: Tensor
    c_noise: Tensor


class Preconditioning(Protocol):
    """``σ (N,) -> Coefficients``."""

    def __call__(self, sigma: Tensor) -> Coefficients:
        """The coefficients at ``sigma``."""


@dataclass(frozen=True)
class EDMPreconditioning:
    """Karras et al. 2022, Tab. 1 (DiffSDA, Eq. 4).

    Attributes:
        sigma_data: σ_d, the standard deviation of the normalised data.
    """

    sigma_data: float = 0.5

    def __call__(self, sigma: Tensor) -> Coefficients:
        """The four coefficients at each noise level of ``sigma``."""
        total = sigma.square() + self.sigma_data**2
        root = total.rsqrt()
        return Coefficients(self.sigma_data**2 / total, sigma * self.sigma_data * root, root, sigma.log() / 4)


@dataclass(frozen=True)
class EpsilonPreconditioning:
    """The network predicts the noise (Ho et al. 2020).

    Attributes:
        schedule: Gives the step t of a level.
        log_noise: Whether ``c_noise = ln(σ)/4``, as in EDM, for a network that embeds that. It holds the same
            information, as σ and t determine each other.
    """

    schedule: DiscreteSchedule
    log_noise: bool = False

    def __call__(self, sigma: Tensor) -> Coefficients:
        """The four coefficients at each noise level of ``sigma``."""
        root = (1 + sigma.square()).rsqrt()
        noise = sigma.log() / 4 if self.log_noise else self.schedule.time(sigma)
        return Coefficients(torch.ones_like(sigma), -sigma, root, noise)


@dataclass(frozen=True)
class VelocityPreconditioning:
    """The network predicts ``v = α·ε − σ̂·x₀`` (Salimans & Ho 2022, App. D).

    Attributes:
        schedule: Gives the step t of a level.
        log_noise: Whether ``c_noise = ln(σ)/4``, as in :class:`EpsilonPreconditioning`.
    """

    schedule: DiscreteSchedule
    log_noise: bool = False

    def __call__(self, sigma: Tensor) -> Coefficients:
        """The four coefficients at each noise level of ``sigma``."""
        root = (1 + sigma.square()).rsqrt()
        noise = sigma.log() / 4 if self.log_noise else self.schedule.time(sigma)
        return Coefficients(root.square(), -sigma * root, root, noise)


@dataclass(frozen=True)
class SamplePreconditioning:
    """The network predicts the clean sample."""

    schedule: DiscreteSchedule

    def __call__(self, sigma: Tensor) -> Coefficients:
        """The four coefficients at each noise level of ``sigma``."""
        root = (1 + sigma.square()).rsqrt()
        return Coefficients(torch.zeros_like(sigma), torch.ones_like(sigma), root, self.schedule.time(sigma))


def convert_prediction(
    prediction: Tensor,
    x: Tensor,
    sigma: Tensor,
    *,
    source: Callable[[Tensor], Coefficients],
    target: Callable[[Tensor], Coefficients],
) -> Tensor:
    """Convert the prediction of a network of the ``source`` kind to that of one of the ``target`` kind.

    ``F' = (c_skip·x + c_out·F − c'_skip·x)/c'_out``.

    Args:
        prediction: Output ``F`` of the network, ``(N, *frame)``.
        x: Noisy frames ``x₀ + σ·ε``, ``(N, *frame)``, not scaled by ``c_in``.
        sigma: Noise levels, ``(N,)``, above zero.
        source: Preconditioning that ``prediction`` belongs to.
        target: Preconditioning to convert to.
    """
    shape = (-1, *(1,) * (x.ndim - 1))
    a, b = source(sigma), target(sigma)
    clean = a.c_skip.view(shape) * x + a.c_out.view(shape) * prediction
    return (clean - b.c_skip.view(shape) * x) / b.c_out.view(shape)
