"""Presets of DSVAE for audio: TIMIT in the sizes of the published tables, and two of ours."""

from __future__ import annotations

from seqdis.audio.options import AudioOptions
from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.dsvae.config import DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["dsvae_audio", "dsvae_timit", "dsvae_tones"]


def _base(
    *,
    preset: str,
    dataset: str,
    length: int,
    options: AudioOptions,
    static_dim: int = 16,
    dynamic_dim: int = 16,
    features: int = 256,
    hidden_dim: int = 256,
    channels: int = 256,
    frame_std: float = 2**-0.5,
    layer_norm: bool = False,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 25,
    lr: float = 2e-4,
    every: int = 1000,
) -> RunConfig:
    """What all presets share: 80 mel bands in model space, two MLP layers a frame, the full posterior.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        length: Frames of a sequence, V.
        options: How sound becomes frames.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        features: Width of a frame's feature.
        hidden_dim: Width of the recurrent layers.
        channels: Width of the layers of encoder and decoder.
        frame_std: σ of ``p(x | s, d)``.
        layer_norm: Whether the posterior normalises, which lets a short training begin at once.
        epochs: Passes over the data; give this or steps.
        steps: Optimiser steps.
        batch_size: Sequences a step.
        lr: Learning rate.
        every: Steps between validations, and between checkpoints.
    """
    backbone = BackboneConfig(kind="mlp", channels=channels, multipliers=(1, 1))
    return RunConfig(
        preset=preset,
        modality="audio",
        method="dsvae",
        data=DataConfig(dataset=dataset, length=length, frame_shape=(80,), options=options.model_dump()),
        model=DSVAEConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            features=features,
            hidden_dim=hidden_dim,
            layer_norm=layer_norm,
            encoder=backbone,
            decoder=backbone,
            output="linear",
            frame_std=frame_std,
        ),
        train=TrainConfig(
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            lr=lr,
            weight_decay=0.0,  # plain Adam
            warmup_steps=0 if steps is None else 50,
            schedule="constant" if steps is None else "cosine",
            grad_clip=None,
            ema_decay=0.0,
            eval_every=every,
            save_every=every,
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def dsvae_timit() -> RunConfig:
    """TIMIT (the widths of the published tables, the networks ours): 20 steps of 200 ms in all."""
    return _base(
        preset="dsvae-timit",
        dataset="timit",
        length=20,
        options=AudioOptions(frame_shift_ms=10.0),
        hidden_dim=512,
        epochs=200,
    )


def dsvae_tones() -> RunConfig:
    """Generated melodies (ours, for a CPU): narrow networks, a smaller σ of the frames, 1,500 steps."""
    return _base(
        preset="dsvae-tones",
        dataset="tones",
        length=40,
        options=AudioOptions(frame_shift_ms=20.0, window_ms=64.0, n_fft=1024),
        dynamic_dim=4,
        features=64,
        hidden_dim=64,
        channels=128,
        frame_std=0.2,
        layer_norm=True,
        steps=1500,
        batch_size=32,
        lr=2e-3,
        every=750,
    )


def dsvae_audio() -> RunConfig:
    """A folder of one's own recordings (ours): windows of 64 steps, a static factor wider than the dynamic one."""
    return _base(
        preset="dsvae-audio",
        dataset="folder",
        length=64,
        options=AudioOptions(),
        static_dim=32,
        dynamic_dim=8,
        frame_std=0.2,
        layer_norm=True,
        steps=20000,
        batch_size=32,
        lr=1e-3,
    )
