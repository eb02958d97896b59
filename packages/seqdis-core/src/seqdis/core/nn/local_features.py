"""A bag of local features: what a picture shows, without where."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError

__all__ = ["LocalFeatures"]


class LocalFeatures(nn.Module):
    """``W [mean_p φ(N_p), max_p φ(N_p)]`` over the neighbourhoods N_p of all pixels p, φ a small network.

    The same colours and textures give the same features wherever they are, so that a static factor read from them
    says who or what is seen and little of its pose or heading (bags of local features, after Brendel & Bethge 2019,
    "Approximating CNNs with bag-of-local-features models"; mean and maximum are ours).

    Args:
        in_channels: Channels of a frame.
        widths: Widths of φ's layers, the last one without an activation; one at least.
        features: Width of the result.
        side: Side of a neighbourhood, in pixels.

    Raises:
        InputError: The side is even, or there is no width.
    """

    def __init__(self, in_channels: int, widths: Sequence[int], features: int, *, side: int = 5) -> None:
        super().__init__()
        if not widths:
            raise InputError("local features by no layer; give one width at least")
        if side % 2 == 0:
            raise InputError(f"neighbourhoods of side {side}; the side must be odd")
        layers: list[nn.Module] = [nn.Conv2d(in_channels, widths[0], side, padding=side // 2)]
        for inputs, outputs in pairwise(widths):
            layers += [nn.SiLU(), nn.Conv2d(inputs, outputs, 1)]
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(2 * widths[-1], features)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, features)``."""
        maps = self.layers(x).flatten(2)
        out: Tensor = self.out(torch.cat([maps.mean(2), maps.amax(2)], dim=1))
        return out
