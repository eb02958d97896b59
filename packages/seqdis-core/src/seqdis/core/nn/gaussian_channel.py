"""A noisy channel of bounded power: what passes it is a few bits, however many numbers carry them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.random import GeneratorStack, randn

__all__ = ["GaussianChannel", "unit_power"]


def unit_power(x: Tensor) -> Tensor:
    """``√D·x/‖x‖``: vectors ``(…, D)`` of mean square 1, whatever their length was."""
    return F.rms_norm(x, (x.shape[-1],), eps=torch.finfo(torch.float32).eps)


class GaussianChannel(nn.Module):
    """``x + σ·ε``, ``ε ~ N(0, I)``, for ``x`` of unit power: additive white Gaussian noise.

    It passes at most ``D/2·log₂(1 + 1/σ²)`` bits a vector (Shannon 1949), half a bit an entry at σ = 1. A factor that
    passes it during training keeps what the decoder cannot find elsewhere, and little else. A channel whose σ is 0 for
    good is none: it leaves a vector's length as it is, too.

    Args:
        noise: σ at the end of training, and after it.
    """

    def __init__(self, noise: float) -> None:
        super().__init__()
        self.noise = noise
        self.present_noise = noise
        """σ at the present step of the training."""

    def bounded(self, x: Tensor) -> Tensor:
        """Return what is sent, ``x (…, D)`` at unit power."""
        return unit_power(x) if self.noise else x

    def forward(self, x: Tensor, rows: GeneratorStack) -> Tensor:
        """Return what arrives of ``x (B, …, D)``, at the present σ in training mode and at the last one otherwise.

        Args:
            x: Vectors of unit power, as :meth:`bounded` gives them.
            rows: Source of ε, one stream a row.
        """
        return _disturbed(x, self.present_noise if self.training else self.noise, rows)

    def draw(self, x: Tensor, rows: GeneratorStack) -> Tensor:
        """Return what arrives of ``x (B, …, D)`` at the last σ, whatever the mode."""
        return _disturbed(x, self.noise, rows)


def _disturbed(x: Tensor, noise: float, rows: GeneratorStack) -> Tensor:
    return x + noise * randn(x.shape, generator=rows, device=x.device, dtype=x.dtype) if noise else x
