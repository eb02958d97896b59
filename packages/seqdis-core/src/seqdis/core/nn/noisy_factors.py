"""Both factors behind noisy channels of their own."""

from __future__ import annotations

from torch import nn

from seqdis.core.factors import Factors
from seqdis.core.nn.gaussian_channel import GaussianChannel
from seqdis.core.random import GeneratorStack

__all__ = ["NoisyFactors"]


class NoisyFactors(nn.Module):
    """``s + σ_s·ε`` and ``d^τ + σ_d·ε^τ``, each of unit power: a :class:`GaussianChannel` a factor.

    Either noise bounds what its factor can hold: ``d`` has no room left for what stays the same over a sequence, and
    what ``s`` tells of similar appearances has to be told apart from the noise.

    Args:
        static_noise: σ_s at the end of training, and after it; 0: ``s`` as it is, of any length.
        dynamic_noise: Deviation σ_d of the noise on ``d``, in the same way.
    """

    def __init__(self, *, static_noise: float, dynamic_noise: float) -> None:
        super().__init__()
        self.static = GaussianChannel(static_noise)
        self.dynamic = GaussianChannel(dynamic_noise)

    def bounded(self, factors: Factors) -> Factors:
        """Return what is sent: the factors at unit power, where there is noise on them."""
        return Factors(self.static.bounded(factors.static), self.dynamic.bounded(factors.dynamic))

    def forward(self, factors: Factors, rows: GeneratorStack) -> Factors:
        """Return what arrives, at the present σ in training mode and at the last one otherwise.

        Args:
            factors: Bounded factors, ``s (B, S)`` and ``d (B, V, D)``.
            rows: Source of ε, one stream a row.
        """
        dynamic = self.dynamic(factors.dynamic, rows)
        return Factors(self.static(factors.static, rows), dynamic)

    def draw(self, factors: Factors, rows: GeneratorStack) -> Factors:
        """Return what arrives at the last σ, whatever the mode."""
        dynamic = self.dynamic.draw(factors.dynamic, rows)
        return Factors(self.static.draw(factors.static, rows), dynamic)
