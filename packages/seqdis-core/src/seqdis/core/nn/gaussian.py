"""DiagonalGaussian: the distribution that variational methods infer, draw from and compare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack, randn

__all__ = ["DiagonalGaussian"]


@dataclass(frozen=True)
class DiagonalGaussian:
    """``N(μ, diag σ²)`` over the last dimension; every dimension before it is a batch.

    Attributes:
        mean: ``μ``, ``(B, …, D)``.
        log_std: ``ln σ``, of the same shape: the terms below then need no logarithm.

    Raises:
        InputError: The two shapes differ.
    """

    mean: Tensor
    log_std: Tensor

    def __post_init__(self) -> None:
        if self.mean.shape != self.log_std.shape:
            raise InputError(
                f"a Gaussian's mean and log_std need one shape; got {tuple(self.mean.shape)} "
                f"and {tuple(self.log_std.shape)}"
            )

    @classmethod
    def from_parameters(cls, parameters: Tensor) -> Self:
        """Read a network's output ``(μ, ln σ²)``, ``(…, 2·D)``."""
        mean, log_variance = parameters.chunk(2, dim=-1)
        return cls(mean, 0.5 * log_variance)

    @classmethod
    def standard(cls, like: Tensor) -> Self:
        """``N(0, I)`` of the shape, type and device of ``like``."""
        return cls(torch.zeros_like(like), torch.zeros_like(like))

    @property
    def std(self) -> Tensor:
        """``σ``, ``(B, …, D)``."""
        return self.log_std.exp()

    def __getitem__(self, index: object) -> DiagonalGaussian:
        """Select along the batch dimensions, as a tensor does."""
        return DiagonalGaussian(self.mean[index], self.log_std[index])  # type: ignore[index]

    def draw(self, generator: GeneratorStack) -> Tensor:
        """``μ + σ·ε``, ``ε ~ N(0, I)``, differentiable in both: ``(B, …, D)``, one row of noise a sequence."""
        noise = randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + self.std * noise

    def log_density_of_entries(self, value: Tensor) -> Tensor:
        """``ln N(value_i; μ_i, σ_i²)`` of every entry in nats, ``(B, …, D)``; the batches broadcast."""
        scaled = (value - self.mean) * (-self.log_std).exp()
        return -(0.5 * scaled.square() + self.log_std + 0.5 * math.log(2 * math.pi))

    def log_density(self, value: Tensor) -> Tensor:
        """``ln N(value; μ, σ²)`` in nats, summed over the last dimension; the batches broadcast."""
        return self.log_density_of_entries(value).sum(-1)

    def kl(self, other: DiagonalGaussian | None = None) -> Tensor:
        """``KL(self ‖ other)`` in nats, summed over the last dimension; ``N(0, I)`` when omitted.

        ``Σ_i ln σ'_i − ln σ_i + (σ_i² + (μ_i − μ'_i)²)/(2σ'_i²) − ½``.
        """
        if other is None:
            return 0.5 * ((2 * self.log_std).exp() + self.mean.square() - 1 - 2 * self.log_std).sum(-1)
        ratio = self.log_std - other.log_std
        shift = (self.mean - other.mean) * (-other.log_std).exp()
        return (0.5 * ((2 * ratio).exp() + shift.square() - 1) - ratio).sum(-1)

    def entropy(self) -> Tensor:
        """``Σ_i ln σ_i + ½ ln 2πe`` in nats."""
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)
