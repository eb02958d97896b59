"""Plain convolutional networks for pictures: strided down to a feature, upsampled back from one."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["ConvFrameDecoder", "ConvFrameEncoder"]

_CORE = 4  # side of the smallest feature map; the convolutions to and from a vector span it whole


class ConvFrameEncoder(nn.Module):
    """Strided 4×4 convolutions with batch norm and leaky ReLU, then one of 4×4 → a vector in (−1, 1).

    S3VAE, App. D, Tab. 1 has ``widths`` 64, 128, 256, 512 and 128 features for frames of 64×64.

    Args:
        channels: Channels of a frame, C.
        widths: Channels after each halving; the side is ``4·2^len(widths)``.
        features: Width of the resulting vector.
    """

    def __init__(self, channels: int, widths: Sequence[int], features: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width in widths:
            layers += [
                nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(0.2),
            ]
            channels = width
        head = [nn.Conv2d(channels, features, _CORE, bias=False), nn.BatchNorm2d(features), nn.Tanh()]
        self.layers = nn.Sequential(*layers, *head)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, H)`` to ``(N, features)``."""
        out: Tensor = self.layers(x).flatten(1)
        return out


class ConvFrameDecoder(nn.Module):
    """A vector to 4×4 by a transposed convolution, then nearest-neighbour upsampling and 3×3 convolutions.

    S3VAE, App. D, Tab. 1 has ``widths`` 512, 256, 128, 128, 64 for frames of 64×64. The last layer
    is linear; the method decides what its numbers mean.

    Args:
        condition: Width of the vector.
        widths: Channels at each side 4, 8, …; the frame's side is ``4·2^(len(widths) − 1)``.
        channels: Channels of a frame, C.
    """

    def __init__(self, condition: int, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        first, *rest = widths
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(condition, first, _CORE, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(),
        ]
        for before, width in zip(widths, rest, strict=False):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], channels, 1))

    def forward(self, z: Tensor) -> Tensor:
        """``(N, condition)`` to ``(N, C, H, H)``."""
        out: Tensor = self.layers(z[:, :, None, None])
        return out
