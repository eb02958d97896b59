"""U-Net over single frames: the denoiser, and its downward half as a frame encoder."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.nn.attention import SpatialSelfAttention
from seqdis.core.nn.embedding import NoiseEmbedding
from seqdis.core.nn.norm import AdaGroupNorm, GroupNormSiLU
from seqdis.core.nn.spatial_transformer import SpatialTransformer

__all__ = ["UNetDenoiser", "UNetEncoder"]


class Block(nn.Module):
    """Residual block: norm, SiLU, convolution; (adaptive) norm, SiLU, convolution; skip; attention.

    The sum of both branches is scaled by 1/√2, which keeps its variance (Karras et al. 2022).

    Args:
        inputs: Channels of the input.
        outputs: Channels of the result.
        resample: ``"down"`` halves the resolution at the start, ``"up"`` doubles it.
        attention: Whether self-attention follows at the end.
        noise: Width of the noise embedding, None for a block without conditions (the encoder's).
        condition: Width of ``z`` for AdaGN; 0 for none.
        context: Width of tokens to cross-attend to, in a spatial transformer at the end that has the
            self-attention as well; then the noise embedding modulates alone, and None is none.
        dropout: Probability of dropout before the second convolution.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        resample: str | None = None,
        attention: bool = False,
        noise: int | None = None,
        condition: int = 0,
        context: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.resample = resample
        self.context = context
        self.norm1 = GroupNormSiLU(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2: nn.Module
        if noise is None:
            self.norm2 = nn.Sequential(GroupNormSiLU(outputs))  # what saved encoders call norm2.0
        else:
            self.norm2 = AdaGroupNorm(outputs, noise=noise, condition=condition)
        self.dropout = nn.Dropout(dropout)
        # Not zero: the factors reach the output through this layer alone, and a first layer of zeros
        # at the output is enough for a calm start.
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.attention: nn.Module
        if context is None:
            self.attention = SpatialSelfAttention(outputs) if attention else nn.Identity()
        else:
            self.attention = SpatialTransformer(outputs, context=context, self_attention=attention)

    def _resize(self, x: Tensor) -> Tensor:
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        return F.interpolate(x, scale_factor=2, mode="nearest") if self.resample == "up" else x

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        """``x (N, inputs, H, W)``; conditions are the noise embedding and ``z`` where the block has them."""
        h = self.conv1(self._resize(self.norm1(x)))
        h = self.conv2(self.dropout(self.norm2(h, *conditions)))
        tokens = conditions[1:] if self.context is not None else ()
        out: Tensor = self.attention((self.skip(self._resize(x)) + h) * math.sqrt(0.5), *tokens)
        return out


def position_features(size: int, frequencies: int) -> Tensor:
    """``cos(π k u/2), sin(π k u/2)`` for k = 1 … K and each axis u in [−1, 1]: ``(4K, size, size)``.

    A bump at any position is a linear combination of them, which a gain for each channel can express.
    """
    axis = torch.linspace(-1, 1, size) * (math.pi / 2)
    waves = [wave(k * axis) for k in range(1, frequencies + 1) for wave in (torch.cos, torch.sin)]
    across = [wave.expand(size, size) for wave in waves]
    return torch.stack([*across, *(wave.T for wave in across)]) if waves else torch.empty(0, size, size)


def smallest_side(size: int, levels: int) -> int:
    """The side of the coarsest of so many levels; an :class:`InputError` where it is no whole number."""
    smallest, rest = divmod(size, 2 ** (levels - 1))
    if rest or smallest < 1:
        raise InputError(
            f"a U-Net of {levels} levels needs a frame size divisible by {2 ** (levels - 1)}; got {size}"
        )
    return smallest


class UNetEncoder(nn.Module):
    """Frames ``(N, C, size, size)`` to features ``(N, features)``: a U-Net's downward half.

    The coarsest map is flattened, not pooled: where something is must reach the dynamics.

    Args:
        in_channels: Channels of a frame, C.
        size: Height and width of a frame, in pixels.
        channels: Base number of channels, which ``multipliers`` scale.
        multipliers: Channels of each level over the base.
        attention: Levels with self-attention.
        blocks: Residual blocks a level.
        features: Width of the result.
        embedding: Channels that a convolution narrows the map to before it is flattened; all when omitted.
        dropout: Probability of dropout in every block.

    Raises:
        InputError: The size is not divisible by ``2^(levels−1)``.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        size: int,
        channels: int,
        multipliers: Sequence[int],
        attention: Sequence[int] = (),
        blocks: int = 2,
        features: int,
        embedding: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        smallest = smallest_side(size, len(multipliers))
        layers: list[nn.Module] = [nn.Conv2d(in_channels, channels, 3, padding=1)]
        width = channels
        for level, multiplier in enumerate(multipliers):
            for index in range(blocks):
                resample = "down" if level > 0 and index == 0 else None
                layers.append(
                    Block(
                        width,
                        channels * multiplier,
                        resample=resample,
                        attention=level in attention,
                        dropout=dropout,
                    )
                )
                width = channels * multiplier
        layers.append(GroupNormSiLU(width))
        if embedding is not None:
            layers.append(nn.Conv2d(width, embedding, 3, padding=1))
            width = embedding
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(width * smallest**2, features)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, size, size)`` to ``(N, features)``."""
        out: Tensor = self.out(self.layers(x).flatten(1))
        return out


class UNetDenoiser(nn.Module):
    """``F(x, c_noise, z)``, conditioned by AdaGN in every block (DiffSDA, Eq. 4 and 9), or by attention to tokens.

    Args:
        condition: Width of ``z`` for AdaGN.
        context: Instead of that, the width of tokens ``z (N, K, context)`` that a spatial transformer in every
            block attends to, while the noise level scales and shifts (DiViD, Sec. 3.2 and 4.1).
        token_levels: Levels whose blocks have that transformer; all when omitted.
        positions: Frequencies of :func:`position_features` beside the input. A gain for each channel says what
            is in a frame, but not where, unless some channels depend on the position; a deep network grows
            such channels from its padding, slowly. 0, the paper's value, adds nothing.

    The other arguments are those of :class:`UNetEncoder`.
    """

    position_maps: Tensor

    def __init__(
        self,
        in_channels: int,
        *,
        size: int,
        channels: int,
        multipliers: Sequence[int],
        attention: Sequence[int] = (),
        blocks: int = 2,
        condition: int = 0,
        context: int | None = None,
        token_levels: Sequence[int] | None = None,
        positions: int = 0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        smallest_side(size, len(multipliers))
        self.register_buffer("position_maps", position_features(size, positions), persistent=False)
        embedding = 4 * channels
        self.noise = NoiseEmbedding(embedding)

        def block(inputs: int, outputs: int, level: int, resample: str | None = None) -> Block:
            attends = context is not None and (token_levels is None or level in token_levels)
            return Block(
                inputs, outputs, resample=resample, attention=level in attention,
                noise=embedding, condition=condition, context=context if attends else None, dropout=dropout,
            )  # fmt: skip

        self.conv_in = nn.Conv2d(in_channels + 4 * positions, channels, 3, padding=1)
        widths, width = [channels], channels
        self.down = nn.ModuleList()
        for level, multiplier in enumerate(multipliers):
            if level:
                self.down.append(block(width, width, level, "down"))
                widths.append(width)
            for _ in range(blocks):
                self.down.append(block(width, channels * multiplier, level))
                width = channels * multiplier
                widths.append(width)
        last = len(multipliers) - 1
        self.middle = nn.ModuleList([block(width, width, last), block(width, width, last)])
        self.up = nn.ModuleList()
        for level in range(last, -1, -1):
            if level < last:
                # Narrowed at once: convolutions of the coarse width at the fine resolution cost most.
                self.up.append(block(width, channels * multipliers[level], level, "up"))
                width = channels * multipliers[level]
            for _ in range(blocks + 1):
                self.up.append(block(width + widths.pop(), channels * multipliers[level], level))
                width = channels * multipliers[level]
        self.norm_out = GroupNormSiLU(width)
        self.conv_out = nn.Conv2d(width, in_channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        """``x (N, C, size, size)``, ``c_noise (N,)``, ``z (N, condition)`` or tokens, to the shape of ``x``."""
        noise = self.noise(c_noise)
        h = self.conv_in(torch.cat([x, self.position_maps.expand(len(x), -1, -1, -1)], dim=1))
        skips = [h]
        for layer in self.down:
            h = layer(h, noise, z)
            skips.append(h)
        for layer in self.middle:
            h = layer(h, noise, z)
        for layer in self.up:
            h = layer(h if layer.resample == "up" else torch.cat([h, skips.pop()], dim=1), noise, z)
        out: Tensor = self.conv_out(self.norm_out(h))
        return out
