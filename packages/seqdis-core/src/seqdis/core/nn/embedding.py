"""The embedding of the noise level."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["NoiseEmbedding"]


class NoiseEmbedding(nn.Module):
    """``MLP([cos(2π f_k c), sin(2π f_k c)])`` of ``c = c_noise = ln(σ)/4``, frequencies 1/16 to 8.

    ``c_noise`` spans about 2.7 for σ from 0.002 to 80, so the lowest frequency is monotonic over
    the whole range and the highest tells levels 5% apart.

    Args:
        features: Width of the result, ``(N, features)``.
    """

    frequencies: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        half = 16
        self.register_buffer(
            "frequencies", 2 * math.pi * torch.logspace(-4, 3, half, base=2.0), persistent=False
        )
        self.mlp = nn.Sequential(
            nn.Linear(2 * half, features), nn.SiLU(), nn.Linear(features, features), nn.SiLU()
        )

    def forward(self, c_noise: Tensor) -> Tensor:
        """``(N,)`` to ``(N, features)``."""
        angle = c_noise[:, None].float() * self.frequencies
        out: Tensor = self.mlp(torch.cat([angle.cos(), angle.sin()], dim=1))
        return out
