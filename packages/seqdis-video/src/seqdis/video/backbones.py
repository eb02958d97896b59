"""The backbones for frames that are pictures (or a picture's latents)."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from seqdis.core.errors import InputError
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.nn.conv import ConvFrameDecoder, ConvFrameEncoder
from seqdis.core.nn.mlp import FrameMLP
from seqdis.core.nn.patches import PatchedDenoiser, patched_shape
from seqdis.core.nn.unet import UNetDenoiser, UNetEncoder
from seqdis.core.nn.unet_decoder import UNetDecoder

__all__ = [
    "picture_decoder",
    "picture_encoder",
    "unet_denoiser",
    "unet_frame_encoder",
    "unet_token_denoiser",
]


def _arguments(config: BackboneConfig, frame_shape: tuple[int, ...]) -> dict[str, Any]:
    """Keywords of a U-Net of patches of the frame."""
    frame_shape = patched_shape(frame_shape, config.patch)
    if config.kind != "unet":
        raise InputError(f"video needs a backbone of kind 'unet'; got {config.kind!r}")
    if len(frame_shape) != 3 or frame_shape[1] != frame_shape[2]:
        raise InputError(f"video needs square frames (C, H, H); got {frame_shape}")
    levels = len(config.multipliers)
    if frame_shape[1] % 2 ** (levels - 1):
        raise InputError(
            f"a U-Net of {levels} levels halves the frame {levels - 1} times: the side must be divisible by "
            f"{2 ** (levels - 1)}; got {frame_shape[1]}"
        )
    if any(not 0 <= level < levels for level in config.attention):
        raise InputError(f"attention at levels {config.attention}; allowed: 0 to {levels - 1}")
    return {
        "in_channels": frame_shape[0],
        "size": frame_shape[1],
        "channels": config.channels,
        "multipliers": config.multipliers,
        "attention": config.attention,
        "blocks": config.blocks,
        "dropout": config.dropout,
    }


def unet_frame_encoder(config: BackboneConfig, *, frame_shape: tuple[int, ...], features: int) -> nn.Module:
    """A U-Net's downward half from frames ``(N, C, H, H)`` to ``(N, features)`` (DiffSDA, Tab. 6).

    Raises:
        InputError: The kind is not ``"unet"``, the frame is not square, or its side cannot be
            halved once for each level but the first.
    """
    network = UNetEncoder(**_arguments(config, frame_shape), features=features, embedding=config.embedding)
    return network if config.patch == 1 else nn.Sequential(nn.PixelUnshuffle(config.patch), network)


def unet_denoiser(config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int) -> nn.Module:
    """A U-Net ``F(x (N, C, H, H), c_noise (N,), z (N, condition)) -> (N, C, H, H)`` (DiffSDA, Eq. 4).

    Raises:
        InputError: The settings do not fit the frame, as in :func:`unet_frame_encoder`.
    """
    return _patched(
        config,
        UNetDenoiser(**_arguments(config, frame_shape), condition=condition, positions=config.positions),
    )


def picture_encoder(config: BackboneConfig, *, frame_shape: tuple[int, ...], features: int) -> nn.Module:
    """A network of the configured kind from frames ``(N, C, H, H)`` to ``(N, features)``.

    ``"conv"`` halves the frame once a multiplier, down to 4×4 (S3VAE, Tab. 1); ``"unet"`` is :func:`unet_frame_encoder`;
    ``"mlp"`` has a layer a multiplier, over all pixels.

    Raises:
        InputError: The kind is another, or the side does not fit it.
    """
    if config.kind == "mlp":
        return nn.Sequential(nn.Flatten(), FrameMLP(math.prod(frame_shape), _widths(config), features))
    if config.kind != "conv":
        return unet_frame_encoder(config, frame_shape=frame_shape, features=features)
    widths = _widths(config)
    _check_side(frame_shape, 4 * 2 ** len(widths), "encoder")
    return ConvFrameEncoder(frame_shape[0], widths, features)


def picture_decoder(config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int) -> nn.Module:
    """A network of the configured kind from factors ``(N, condition)`` to frames ``(N, C, H, H)``.

    ``"conv"`` starts at 4×4 and doubles the side between multipliers (S3VAE, Tab. 1); ``"unet"`` is a U-Net's upward
    half, whose blocks the factors modulate; ``"mlp"`` has a layer a multiplier, and then every pixel at once.

    Raises:
        InputError: The kind is another, or the side does not fit it.
    """
    if config.kind == "mlp":
        frames = FrameMLP(condition, _widths(config), math.prod(frame_shape))
        return nn.Sequential(frames, nn.Unflatten(1, frame_shape))
    if config.kind != "conv":
        sizes = _arguments(config, frame_shape)
        network = UNetDecoder(condition, sizes.pop("in_channels"), **sizes)
        return network if config.patch == 1 else nn.Sequential(network, nn.PixelShuffle(config.patch))
    widths = _widths(config)
    _check_side(frame_shape, 4 * 2 ** (len(widths) - 1), "decoder")
    return ConvFrameDecoder(condition, widths, frame_shape[0])


def _widths(config: BackboneConfig) -> list[int]:
    if config.patch != 1:
        raise InputError(
            f"patches of {config.patch}x{config.patch} in a {config.kind!r} backbone; allowed: in 'unet'"
        )
    return [config.channels * multiplier for multiplier in config.multipliers]


def _check_side(frame_shape: tuple[int, ...], side: int, what: str) -> None:
    if len(frame_shape) != 3 or frame_shape[1:] != (side, side):
        raise InputError(
            f"a conv {what} of these multipliers needs frames (C, {side}, {side}); got {frame_shape}"
        )


def unet_token_denoiser(config: BackboneConfig, *, frame_shape: tuple[int, ...], context: int) -> nn.Module:
    """A U-Net ``F(x (N, C, H, H), c_noise (N,), tokens (N, K, context)) -> (N, C, H, H)`` (DiViD, Sec. 3.2).

    Raises:
        InputError: The settings do not fit the frame, as in :func:`unet_frame_encoder`.
    """
    levels = range(len(config.multipliers))
    if any(level not in levels for level in config.token_levels or ()):
        raise InputError(f"token_levels {config.token_levels}; allowed: 0 to {levels[-1]}")
    return _patched(
        config,
        UNetDenoiser(
            **_arguments(config, frame_shape),
            context=context,
            token_levels=config.token_levels,
            positions=config.positions,
        ),
    )


def _patched(config: BackboneConfig, network: UNetDenoiser) -> nn.Module:
    return network if config.patch == 1 else PatchedDenoiser(network, config.patch)
