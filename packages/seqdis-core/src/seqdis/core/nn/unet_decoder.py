"""A U-Net's upward half as a decoder of single frames, which the factors modulate in every block."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from seqdis.core.nn.norm import GroupNormSiLU
from seqdis.core.nn.unet import Block, smallest_side

__all__ = ["UNetDecoder"]


class UNetDecoder(nn.Module):
    """``z -> x``: a linear map to the coarsest level, then residual blocks whose AdaGN reads ``e = MLP(z)``.

    Convolutions behind a single vector hand on what is small and of little contrast from layer to layer, and learn
    it late; here it can enter where it is drawn, as in a denoiser (DiffSDA, Eq. 9).

    Args:
        condition: Width of ``z``.
        out_channels: Channels of a frame, C.
        size: Height and width of a frame, in pixels.
        channels: Base number of channels, which ``multipliers`` scale; ``e`` has four times as many.
        multipliers: Channels of each level over the base, the finest level first.
        attention: Levels with self-attention.
        blocks: Residual blocks a level.
        dropout: Probability of dropout in every block.

    Raises:
        InputError: The size is not divisible by ``2^(levels−1)``.
    """

    def __init__(
        self,
        condition: int,
        out_channels: int,
        *,
        size: int,
        channels: int,
        multipliers: Sequence[int],
        attention: Sequence[int] = (),
        blocks: int = 2,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        side = smallest_side(size, len(multipliers))
        embedding, width = 4 * channels, channels * multipliers[-1]
        self.coarsest = (width, side, side)
        self.embed = nn.Sequential(
            nn.Linear(condition, embedding), nn.SiLU(), nn.Linear(embedding, embedding)
        )
        self.project = nn.Linear(condition, width * side**2)
        self.up = nn.ModuleList()
        last = len(multipliers) - 1
        for level in range(last, -1, -1):
            for index in range(blocks):
                outputs = channels * multipliers[level]
                self.up.append(
                    Block(
                        width,
                        outputs,
                        resample="up" if level < last and index == 0 else None,
                        attention=level in attention,
                        noise=embedding,
                        dropout=dropout,
                    )
                )
                width = outputs
        self.norm_out = GroupNormSiLU(width)
        self.conv_out = nn.Conv2d(width, out_channels, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """``(N, condition)`` to ``(N, C, size, size)``."""
        e, h = self.embed(z), self.project(z).unflatten(1, self.coarsest)
        for block in self.up:
            h = block(h, e)
        out: Tensor = self.conv_out(self.norm_out(h))
        return out
