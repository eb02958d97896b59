"""Presets of DSVAE for audio: TIMIT in the sizes of the published tables, and two of ours."""

from __future__ import annotations

from typing import Unpack

from seqdis.audio.options import FROM_RECORDINGS, AudioOptions, AudioSettings
from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.dsvae.config import DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.vae_preset import VAESizes, plain_adam

__all__ = ["dsvae_audio", "dsvae_timit", "dsvae_tones"]


def _base(
    *,
    preset: str,
    dataset: str,
    length: int,
    options: AudioSettings,
    channels: int = 256,
    train: TrainConfig,
    **sizes: Unpack[VAESizes],
) -> RunConfig:
    """The configuration that all presets share: 80 mel bands in model space, two MLP layers a frame, the full posterior.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        length: Frames of a sequence, V.
        options: Settings of the audio: rate, mel bands, window and hop.
        channels: Width of the layers of encoder and decoder.
        train: Settings of the training.
        **sizes: Widths of factors and networks.
    """
    backbone = BackboneConfig(kind="mlp", channels=channels, multipliers=(1, 1))
    return RunConfig(
        preset=preset,
        modality="audio",
        method="dsvae",
        data=DataConfig(dataset=dataset, length=length, frame_shape=(80,), options=options.model_dump()),
        model=DSVAEConfig(
            encoder=backbone,
            decoder=backbone,
            output="linear",
            **sizes,
        ),
        train=train,
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
        static_dim=16,
        dynamic_dim=16,
        features=256,
        train=plain_adam(epochs=200, batch_size=25, lr=2e-4),
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
        static_dim=16,
        train=plain_adam(steps=1500, batch_size=32, lr=2e-3, schedule="cosine", warmup_steps=50, every=750),
    )


def dsvae_audio() -> RunConfig:
    """A folder of one's own recordings (ours): windows of 64 steps, a static factor wider than the dynamic one."""
    return _base(
        preset="dsvae-audio",
        dataset="folder",
        length=64,
        options=FROM_RECORDINGS,
        static_dim=32,
        dynamic_dim=8,
        frame_std=0.2,
        layer_norm=True,
        features=256,
        hidden_dim=256,
        train=plain_adam(steps=20000, batch_size=32, lr=1e-3, schedule="cosine", warmup_steps=50),
    )
