"""A convolutional frame encoder that blurs before it drops pixels (Zhang 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["AntiAliasedEncoder", "BlurPool"]


class BlurPool(nn.Module):
    """Every second pixel of ``k ∗ x`` with the binomial kernel ``k = [1 2 1]ᵀ[1 2 1] / 16``, borders mirrored.

    Its result moves little when the picture moves by a pixel, that of a strided convolution may change
    altogether (Zhang 2019, "Making convolutional networks shift-invariant again").
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", torch.outer(line, line)[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C, H/2, W/2)``; sides even."""
        channels = x.shape[1]
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.kernel.expand(channels, -1, -1, -1), stride=2, groups=channels)


class AntiAliasedEncoder(nn.Module):
    """Convolution 3×3, leaky ReLU and :class:`BlurPool` a layer; the last map flattened (VDSM, Sec. 3.1).

    Args:
        frame_shape: Shape of a frame, ``(C, H, W)``, both sides divisible by 2 once a layer.
        channels: Channels of each layer's convolution.
        groups: Groups of a group norm after each convolution; 0 for none, as in the paper.
    """

    def __init__(
        self, frame_shape: tuple[int, int, int], channels: Sequence[int], *, groups: int = 0
    ) -> None:
        super().__init__()
        inputs, height, width = frame_shape
        layers: list[nn.Module] = []
        for count in channels:
            norm = [nn.GroupNorm(groups, count)] if groups else []
            layers += [nn.Conv2d(inputs, count, 3, padding=1), *norm, nn.LeakyReLU(0.2), BlurPool()]
            inputs = count
        self.layers = nn.Sequential(*layers)
        self.features = inputs * (height >> len(channels)) * (width >> len(channels))
        """Width of the result."""

    def forward(self, frames: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, features)``."""
        out: Tensor = self.layers(frames)
        return out.flatten(1)
