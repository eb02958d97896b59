"""Convolutional networks that suit a CPU, which small presets of DSVAE and S3VAE share."""

from __future__ import annotations

from seqdis.core.vae_preset import NetworkSizes

__all__ = ["SHAPES_NETWORKS", "SPRITES32_NETWORKS", "ConvolutionalSizes"]


class ConvolutionalSizes(NetworkSizes, total=False):
    """The sizes of a convolutional encoder and decoder, and the spread of the frames.

    Attributes:
        channels: Base channels of encoder and decoder.
        encoder: The encoder's channels over the base, layer by layer.
        decoder: The decoder's channels over the base.
        frame_std: σ of ``p(x | s, d)``.
    """

    channels: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    frame_std: float


SPRITES32_NETWORKS: ConvolutionalSizes = {
    "features": 64,
    "hidden_dim": 128,
    "channels": 12,
    "encoder": (2, 4, 8),
    "decoder": (8, 4, 2, 1),
    "frame_std": 0.2,
    "layer_norm": True,
}
"""For colour frames of 32x32."""

SHAPES_NETWORKS: ConvolutionalSizes = {
    "features": 64,
    "hidden_dim": 64,
    "channels": 16,
    "encoder": (2, 4),
    "decoder": (4, 2, 1),
    "frame_std": 0.1,
    "layer_norm": True,
}
"""For colour frames of 16x16."""
