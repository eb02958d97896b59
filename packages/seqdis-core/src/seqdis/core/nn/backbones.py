"""The settings of a backbone, and the three backbones for vector-valued frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from seqdis.core.base_config import DEEPEST, WIDEST, Level, Width
from seqdis.core.config import Config
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BackboneConfig", "vector_denoiser", "vector_frame_decoder", "vector_frame_encoder"]


class BackboneConfig(Config):
    """Size of a frame encoder, frame decoder or denoiser, in the terms of DiffSDA's Tab. 6 and 7."""

    kind: Literal["unet", "mlp", "conv"]
    channels: int = Field(ge=1, le=WIDEST, description="base channels")
    multipliers: tuple[Width, ...] = Field(
        (1, 2, 2, 2), max_length=32, description="channels of each level (or layer) over the base"
    )
    attention: tuple[Level, ...] = Field(
        (), max_length=32, description="levels with self-attention, counted from 0"
    )
    blocks: int = Field(2, ge=1, le=DEEPEST, description="residual blocks a level (U-Net)")
    token_levels: Annotated[tuple[Level, ...], Field(max_length=32)] | None = Field(
        None, description="levels of a token denoiser that attend to the tokens; all when omitted"
    )
    embedding: int | None = Field(
        None,
        ge=1,
        le=WIDEST,
        description="channels that a U-Net encoder's last map is narrowed to; all when omitted",
    )
    positions: int = Field(
        0, ge=0, le=WIDEST, description="frequencies of position features beside a U-Net denoiser's input"
    )
    patch: int = Field(
        1, ge=1, le=256, description="side of a picture's patches that the network takes as one place"
    )
    dropout: float = Field(0.0, ge=0, lt=1)


def _features(config: BackboneConfig, frame_shape: tuple[int, ...]) -> int:
    if config.patch != 1:
        raise InputError(
            f"patches of {config.patch}x{config.patch} in frames of shape {frame_shape}; allowed: 1"
        )
    if config.kind != "mlp" or len(frame_shape) != 1:
        raise InputError(
            f"frames of shape {frame_shape} with a {config.kind!r} backbone; here only vectors (F,) with 'mlp'"
        )
    return frame_shape[0]


def vector_frame_encoder(config: BackboneConfig, *, frame_shape: tuple[int, ...], features: int) -> nn.Module:
    """An MLP from frames ``(N, F)`` to ``(N, features)``."""
    from seqdis.core.nn.mlp import FrameMLP

    widths = [config.channels * m for m in config.multipliers]
    return FrameMLP(_features(config, frame_shape), widths, features, dropout=config.dropout)


def vector_denoiser(config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int) -> nn.Module:
    """An MLP ``F(x (N, F), c_noise (N,), z (N, condition)) -> (N, F)`` with AdaGN in every layer."""
    from seqdis.core.nn.mlp import DenoiserMLP

    widths = [config.channels * m for m in config.multipliers]
    return DenoiserMLP(_features(config, frame_shape), widths, condition=condition, dropout=config.dropout)


def vector_frame_decoder(
    config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int
) -> nn.Module:
    """An MLP from factors ``(N, condition)`` to frames ``(N, F)``."""
    from seqdis.core.nn.mlp import FrameMLP

    widths = [config.channels * m for m in config.multipliers]
    return FrameMLP(condition, widths, _features(config, frame_shape), dropout=config.dropout)
