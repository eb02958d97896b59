"""The networks that a judge looks at single frames with: convolutions for images, layers for vectors."""

from __future__ import annotations

from torch import nn

__all__ = ["TRUNK_FEATURES", "image_trunk", "vector_trunk"]

TRUNK_FEATURES = 128
"""Features of each frame."""


def image_trunk(frame_shape: tuple[int, ...], width: int) -> nn.Sequential:
    """Convolutions of a frame ``(C, H, W)`` down to :data:`TRUNK_FEATURES` numbers."""
    channels, *size = frame_shape
    layers: list[nn.Module] = [nn.BatchNorm2d(channels, affine=False)]
    if min(size) < 64:
        # At 16 pixels a figure's outline is gone after the first stride: look at full size once.
        layers += [
            nn.Conv2d(channels, width // 2, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.LeakyReLU(0.2),
        ]
        channels = width // 2
    wide = width
    # Halve while the result is at least 4 wide, as DCGAN does; other sizes end between 4 and 7.
    while min(size) >= 8:
        layers += [nn.Conv2d(channels, wide, 4, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)]
        channels, wide, size = wide, min(2 * wide, 8 * width), [side // 2 for side in size]
    head = nn.Conv2d(channels, TRUNK_FEATURES, (size[0], size[1]), bias=False)
    return nn.Sequential(*layers, head, nn.Flatten(), nn.BatchNorm1d(TRUNK_FEATURES), nn.Tanh())


def vector_trunk(features: int, hidden: int) -> nn.Sequential:
    """Two layers from a frame ``(F,)`` to :data:`TRUNK_FEATURES` numbers."""
    return nn.Sequential(
        nn.BatchNorm1d(features, affine=False),
        nn.Linear(features, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, TRUNK_FEATURES, bias=False),
        nn.BatchNorm1d(TRUNK_FEATURES),
        nn.Tanh(),
    )
