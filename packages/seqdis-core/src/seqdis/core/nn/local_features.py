"""A bag of local features: what a picture shows, without where."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError

__all__ = ["LocalFeatures", "WithLocalFeatures"]


class LocalFeatures(nn.Module):
    """``W [mean_p φ(N_p), max_p φ(N_p)]`` over the neighbourhoods N_p of all pixels p, φ a small network.

    The same colours and textures give the same features wherever they are, so that a static factor read from them
    says who or what is seen and little of its pose or heading (bags of local features, after Brendel & Bethge 2019,
    "Approximating CNNs with bag-of-local-features models"; mean and maximum are ours).

    Args:
        in_channels: Channels of a frame.
        features: Width of the result, and of φ.
        side: Side of a neighbourhood, in pixels; odd.
    """

    def __init__(self, in_channels: int, features: int, *, side: int = 5) -> None:
        super().__init__()
        if side % 2 == 0:
            raise InputError(f"neighbourhoods of side {side}; the side must be odd")
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, features, side, padding=side // 2),
            nn.SiLU(),
            nn.Conv2d(features, features, 1),
            nn.SiLU(),
            nn.Conv2d(features, features, 1),
        )
        self.out = nn.Linear(2 * features, features)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, features)``."""
        maps = self.layers(x).flatten(2)
        out: Tensor = self.out(torch.cat([maps.mean(2), maps.amax(2)], dim=1))
        return out


class WithLocalFeatures(nn.Module):
    """``[LocalFeatures(x), N(x)]``: an encoder's features with those of a bag in front.

    Args:
        local: The bag, for the first features.
        network: N, for the rest.
    """

    def __init__(self, local: LocalFeatures, network: nn.Module) -> None:
        super().__init__()
        self.local, self.network = local, network

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, local features + features of N)``."""
        return torch.cat([self.local(x), self.network(x)], dim=1)
