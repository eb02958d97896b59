"""Adaptive group normalisation as a layer: its modulations come from the noise level and from z."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdis.core.ops.ada_group_norm import ada_group_norm

__all__ = ["AdaGroupNorm", "group_count"]


def group_count(channels: int, *, largest: int = 32, smallest_group: int = 4) -> int:
    """The most groups, at most ``largest``, that divide the channels with 4 or more in each."""
    return next(
        g for g in range(min(largest, max(channels // smallest_group, 1)), 0, -1) if channels % g == 0
    )


class AdaGroupNorm(nn.Module):
    """``silu(z_s · (t_s · GroupNorm(h) + t_b))`` (DiffSDA, Eq. 9).

    ``t_s, t_b`` are a linear layer of the noise embedding (the last of its MLP), ``z_s`` one of
    the factors. All three start at the identity: ``t_s = 1, t_b = 0, z_s = 1`` on average.

    Args:
        channels: C of the feature map ``(N, C, *spatial)``.
        noise: Width of the noise embedding ``(N, noise)``.
        condition: Width of ``z``, ``(N, condition)``; 0 leaves ``z_s`` out: scale and shift by the noise level
            alone (FiLM).
    """

    def __init__(self, channels: int, *, noise: int, condition: int = 0) -> None:
        super().__init__()
        self.groups = group_count(channels)
        self.from_noise = nn.Linear(noise, 2 * channels)
        self.from_condition = nn.Linear(condition, channels) if condition else None
        with torch.no_grad():
            self.from_noise.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))
            if self.from_condition is not None:
                self.from_condition.bias.fill_(1.0)

    def forward(self, h: Tensor, noise: Tensor, z: Tensor | None = None) -> Tensor:
        """Normalise ``h (N, C, *spatial)``, given the embeddings of each sample."""
        scale, shift = self.from_noise(noise).chunk(2, dim=1)
        # A block that attends to tokens hands them on to its transformer: this layer has no gain by them.
        gain = None if self.from_condition is None else self.from_condition(z)
        return ada_group_norm(h, self.groups, scale=scale, shift=shift, gain=gain, activation="silu")
