"""Presets of DSVAE for video: its sprites, and two small ones for a CPU."""

from __future__ import annotations

from typing import Unpack

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.dsvae.config import DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.vae_preset import VAESizes, plain_adam
from seqdis.video.options import VideoOptions
from seqdis.video.presets.small_networks import SHAPES_NETWORKS, SPRITES32_NETWORKS

__all__ = ["dsvae_shapes", "dsvae_sprites", "dsvae_sprites32"]


def _base(
    *,
    preset: str,
    dataset: str,
    side: int,
    length: int,
    channels: int,
    encoder: tuple[int, ...],
    decoder: tuple[int, ...],
    train: TrainConfig,
    **sizes: Unpack[VAESizes],
) -> RunConfig:
    """The configuration that all presets share: square colour frames in [0, 1], convolutions, the full posterior, plain Adam.

    Args:
        preset: The preset's name.
        dataset: A dataset's name.
        side: Height and width of a frame.
        length: Frames of a clip, V.
        channels: Base channels of encoder and decoder.
        encoder: The encoder's channels over the base, layer by layer.
        decoder: The decoder's channels over the base.
        train: Settings of the training.
        **sizes: Widths of factors and networks.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="dsvae",
        data=DataConfig(
            dataset=dataset, length=length, frame_shape=(3, side, side), options=VideoOptions().model_dump()
        ),
        model=DSVAEConfig(
            encoder=BackboneConfig(kind="conv", channels=channels, multipliers=encoder),
            decoder=BackboneConfig(kind="conv", channels=channels, multipliers=decoder),
            output="sigmoid",
            **sizes,
        ),
        train=train,
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def dsvae_sprites() -> RunConfig:
    """Sprites (the paper's sizes): eight frames of 64x64, 256 channels in every layer, 200 epochs."""
    return _base(
        preset="dsvae-sprites",
        dataset="sprites",
        side=64,
        length=8,
        static_dim=256,
        dynamic_dim=32,
        features=2048,
        hidden_dim=512,
        channels=256,
        encoder=(1, 1, 1, 1),
        decoder=(1, 1, 1, 1, 1),
        train=plain_adam(epochs=200, batch_size=25, lr=2e-4, every=2000),
    )


def dsvae_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): narrow networks, few dynamic dimensions, and a smaller σ of the frames."""
    return _base(
        preset="dsvae-sprites32",
        dataset="sprites",
        side=32,
        length=8,
        static_dim=64,
        dynamic_dim=8,
        train=plain_adam(steps=3000, batch_size=16, lr=2e-3, schedule="cosine", warmup_steps=100, every=1000),
        **SPRITES32_NETWORKS,
    )


def dsvae_shapes() -> RunConfig:
    """Moving shapes at 16x16 (ours, for a CPU): six frames, two layers, and batches of 32."""
    return _base(
        preset="dsvae-shapes",
        dataset="shapes",
        side=16,
        length=6,
        static_dim=16,
        dynamic_dim=4,
        train=plain_adam(steps=1200, batch_size=32, lr=2e-3, schedule="cosine", warmup_steps=100, every=600),
        **SHAPES_NETWORKS,
    )
