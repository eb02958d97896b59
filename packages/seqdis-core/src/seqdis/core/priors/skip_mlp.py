"""The network of the latent DDIM."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["SkipMLP"]

_TIME = 64


class SkipMLP(nn.Module):
    """An MLP that sees its input again at every layer (Preechakul et al. 2022, App. A; DiffSDA, Tab. 8).

    ``h_1 = act(W_1 x)``, ``h_i = act(W_i [h_{i−1}, x])``, and the last layer is linear; ``act`` is the
    noise level's scale ``1 + c_i(t)``, layer norm and SiLU in turn.

    Args:
        features: Width of input and output.
        hidden: Width of the hidden layers.
        layers: Number of linear layers, at least 2.
    """

    frequencies: Tensor

    def __init__(self, features: int, *, hidden: int, layers: int = 10) -> None:
        super().__init__()
        self.register_buffer(
            "frequencies",
            (torch.arange(_TIME // 2) * (-math.log(1e4) / (_TIME // 2))).exp(),
            persistent=False,
        )
        self.time = nn.Sequential(nn.Linear(_TIME, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        widths = [features, *[hidden + features] * (layers - 1)]
        self.linears = nn.ModuleList(nn.Linear(width, hidden) for width in widths[:-1])
        self.scales = nn.ModuleList(nn.Linear(hidden, hidden) for _ in self.linears)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in self.linears)
        self.last = nn.Linear(widths[-1], features)

    def forward(self, x: Tensor, t: Tensor, z: Tensor | None = None) -> Tensor:
        """``ε_φ(x_t (N, features), t (N,))``; there is no condition ``z``."""
        angle = t[:, None].float() * self.frequencies
        time = self.time(torch.cat([angle.cos(), angle.sin()], dim=1))
        h = x
        for i, (linear, scale, norm) in enumerate(zip(self.linears, self.scales, self.norms, strict=True)):
            h = linear(h if i == 0 else torch.cat([h, x], dim=1))
            h = F.silu(norm(h * (1 + scale(time))))
        out: Tensor = self.last(torch.cat([h, x], dim=1))
        return out
