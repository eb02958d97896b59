"""Mean and variance of numbers that arrive in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

__all__ = ["RunningMoments"]


@dataclass(frozen=True)
class RunningMoments:
    """Number, mean and sum of squared deviations of what was seen, in float64 (Chan et al. 1979, pairwise update).

    Attributes:
        count: Number of entries that each mean is over.
        mean: Mean of the entries, μ.
        squares: The sum of ``(x − μ)²``.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor

    @classmethod
    def none(cls, shape: Sequence[int]) -> Self:
        """Nothing seen yet, for means of this shape."""
        zero = torch.zeros(tuple(shape), dtype=torch.float64)
        return cls(zero, zero, zero)

    @classmethod
    def of(cls, x: Tensor, axes: Sequence[int], seen: Tensor | None = None) -> Self:
        """The moments over some axes, the first among them.

        Args:
            x: The numbers, ``(N, …)``.
            axes: Numbers of the axes that a mean is over; the others, and those behind them, stay.
            seen: 1 at entries that count and 0 elsewhere, shaped like ``x``; all count when omitted.
        """
        x, axes = x.double(), list(axes)
        seen = torch.ones_like(x) if seen is None else seen.double()
        n = seen.sum(axes, keepdim=True)[0]
        x = torch.where(seen > 0, x, 0.0)  # a value in a gap, NaN included, must not reach the sums
        mean = x.sum(axes, keepdim=True)[0] / n.clamp(min=1)
        squares = ((x - mean).square() * seen).sum(axes, keepdim=True)[0]
        return cls(n, mean, squares)

    def joined(self, other: Self) -> Self:
        """The moments of what either has seen."""
        total = (self.count + other.count).clamp(min=1)
        between = (other.mean - self.mean).square() * self.count * other.count / total
        mean = self.mean + (other.mean - self.mean) * other.count / total
        return type(self)(self.count + other.count, mean, self.squares + (other.squares + between))

    @property
    def std(self) -> Tensor:
        """The standard deviation, ``√(Σ(x − μ)² / n)``; 0 where nothing was seen."""
        return (self.squares / self.count.clamp(min=1)).sqrt()
