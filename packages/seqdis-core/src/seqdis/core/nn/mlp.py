"""Networks for vector-valued frames ``(F,)``: mel frames, time-series channels, joint angles."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqdis.core.nn.embedding import NoiseEmbedding
from seqdis.core.nn.norm import AdaGroupNorm, group_count

__all__ = ["DenoiserMLP", "FrameMLP"]


class FrameMLP(nn.Module):
    """Linear, GroupNorm and SiLU a layer, then a linear layer: ``(N, F)`` to ``(N, features)``."""

    def __init__(self, inputs: int, widths: Sequence[int], features: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths:
            layers += [
                nn.Linear(inputs, width),
                nn.GroupNorm(group_count(width), width),
                nn.SiLU(),
                nn.Dropout(dropout),
            ]
            inputs = width
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, features))

    def forward(self, x: Tensor) -> Tensor:
        """``(N, F)`` to ``(N, features)``."""
        out: Tensor = self.layers(x)
        return out


class DenoiserMLP(nn.Module):
    """A denoiser of single frames; its input is concatenated to every layer's.

    ``h_0 = x``, ``h_{l+1} = AdaGN(W_l [h_l, x]; c_noise, z)``, output ``W_L [h_L, x]``.

    Args:
        inputs: F, width of a frame and of the result.
        widths: Width of each hidden layer.
        condition: Width of ``z``.
        dropout: Probability of dropout after each hidden layer.
    """

    def __init__(self, inputs: int, widths: Sequence[int], *, condition: int, dropout: float = 0.0) -> None:
        super().__init__()
        embedding = 128  # its layers run once a frame like the others: wider would cost more than the MLP
        self.noise = NoiseEmbedding(embedding)
        befores = [0, *widths[:-1]]
        self.linears = nn.ModuleList(nn.Linear(b + inputs, w) for b, w in zip(befores, widths, strict=True))
        self.norms = nn.ModuleList(AdaGroupNorm(w, noise=embedding, condition=condition) for w in widths)
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(widths[-1] + inputs, inputs)

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        """``x (N, F)``, ``c_noise (N,)``, ``z (N, condition)`` to ``(N, F)``."""
        noise = self.noise(c_noise)
        h = x
        for depth, (linear, norm) in enumerate(zip(self.linears, self.norms, strict=True)):
            h = self.dropout(norm(linear(h if depth == 0 else torch.cat([h, x], dim=1)), noise, z))
        out: Tensor = self.out(torch.cat([h, x], dim=1))
        return out
