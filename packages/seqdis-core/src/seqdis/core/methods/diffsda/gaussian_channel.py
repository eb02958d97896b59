"""A noisy channel of bounded power: what passes it is a few bits, however many numbers carry them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdis.core.random import GeneratorStack, randn

__all__ = ["gaussian_channel", "unit_power"]


def unit_power(x: Tensor) -> Tensor:
    """``√D·x/‖x‖``: vectors ``(…, D)`` of mean square 1, whatever their length was."""
    return F.rms_norm(x, (x.shape[-1],), eps=torch.finfo(torch.float32).eps)


def gaussian_channel(x: Tensor, noise: float, generator: GeneratorStack) -> Tensor:
    """``x + σ·ε``, ``ε ~ N(0, I)``: additive white Gaussian noise.

    At unit power it passes at most ``D/2·log₂(1 + 1/σ²)`` bits a vector (Shannon 1949), half a bit an entry at σ = 1.
    A factor that passes it during training keeps what the decoder cannot find elsewhere, and little else.

    Args:
        x: Vectors of unit power, ``(B, …, D)``; see :func:`unit_power`.
        noise: Standard deviation of the noise, σ.
        generator: Source of ε, one stream a row.
    """
    return x + noise * randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
