"""GaussianLayer: from features to a diagonal Gaussian."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.nn.gaussian import DiagonalGaussian

__all__ = ["GaussianLayer", "log_softplus"]


def log_softplus(x: Tensor) -> Tensor:
    """``ln ln(1 + e^x)``, also where ``e^x`` vanishes (there it is ``x``)."""
    low = -15.0  # below, the two differ by less than float32 resolves
    return F.softplus(x.clamp(min=low)).log() + (x - low).clamp(max=0)


class GaussianLayer(nn.Module):
    """``N(W h + b, diag ln(1 + exp(W' h + b'))²)``: two linear layers, the scale by a softplus (VDSM, Eq. 5-6).

    Args:
        features: Width of ``h``.
        dim: Number of dimensions of the Gaussian.
    """

    def __init__(self, features: int, dim: int) -> None:
        super().__init__()
        self.mean = nn.Linear(features, dim)
        self.scale = nn.Linear(features, dim)

    def forward(self, h: Tensor) -> DiagonalGaussian:
        """``h (…, features)`` to a Gaussian over ``(…, dim)``, in float32."""
        return DiagonalGaussian(self.mean(h).float(), log_softplus(self.scale(h).float()))
