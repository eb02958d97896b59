"""Presets of DSVAE for video: its sprites, and two small ones for a CPU."""

from __future__ import annotations

from typing import Literal

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.dsvae.config import DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.options import VideoOptions

__all__ = ["dsvae_shapes", "dsvae_sprites", "dsvae_sprites32"]


def _base(
    *,
    preset: str,
    dataset: str,
    side: int,
    length: int,
    static_dim: int,
    dynamic_dim: int,
    features: int,
    hidden_dim: int,
    channels: int,
    encoder: tuple[int, ...],
    decoder: tuple[int, ...],
    frame_std: float = 2**-0.5,
    layer_norm: bool = False,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int,
    lr: float,
    schedule: Literal["cosine", "constant"] = "constant",
    warmup_steps: int = 0,
    every: int = 2000,
) -> RunConfig:
    """What all presets share: square colour frames in [0, 1], convolutions, the full posterior, plain Adam.

    Args:
        preset: The preset's name.
        dataset: A dataset's name.
        side: Height and width of a frame.
        length: Frames of a clip, V.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        features: Width of a frame's feature.
        hidden_dim: Width of the recurrent layers.
        channels: Base channels of encoder and decoder.
        encoder: The encoder's channels over the base, layer by layer.
        decoder: The decoder's channels over the base.
        frame_std: σ of ``p(x | s, d)``.
        layer_norm: Whether the posterior normalises, which lets a short training begin at once.
        epochs: Passes over the data; give this or steps.
        steps: Optimiser steps.
        batch_size: Clips a step.
        lr: Learning rate.
        schedule: How the learning rate goes on after the warm-up.
        warmup_steps: Steps of the linear warm-up.
        every: Steps between validations, and between checkpoints.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="dsvae",
        data=DataConfig(
            dataset=dataset, length=length, frame_shape=(3, side, side), options=VideoOptions().model_dump()
        ),
        model=DSVAEConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            features=features,
            hidden_dim=hidden_dim,
            layer_norm=layer_norm,
            encoder=BackboneConfig(kind="conv", channels=channels, multipliers=encoder),
            decoder=BackboneConfig(kind="conv", channels=channels, multipliers=decoder),
            output="sigmoid",
            frame_std=frame_std,
        ),
        train=TrainConfig(
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            lr=lr,
            weight_decay=0.0,  # plain Adam
            warmup_steps=warmup_steps,
            schedule=schedule,
            grad_clip=None,
            # The running statistics of batch norm belong to the weights themselves, not to an average.
            ema_decay=0.0,
            eval_every=every,
            save_every=every,
        ),
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
        epochs=200,
        batch_size=25,
        lr=2e-4,
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
        features=64,
        hidden_dim=128,
        channels=12,
        encoder=(2, 4, 8),
        decoder=(8, 4, 2, 1),
        frame_std=0.2,
        layer_norm=True,
        steps=3000,
        batch_size=16,
        lr=2e-3,
        schedule="cosine",
        warmup_steps=100,
        every=1000,
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
        features=64,
        hidden_dim=64,
        channels=16,
        encoder=(2, 4),
        decoder=(4, 2, 1),
        frame_std=0.1,
        layer_norm=True,
        steps=1200,
        batch_size=32,
        lr=2e-3,
        schedule="cosine",
        warmup_steps=100,
        every=600,
    )
