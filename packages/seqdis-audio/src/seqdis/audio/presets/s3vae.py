"""Presets of S3VAE for audio: its TIMIT, and a small one for a CPU."""

from __future__ import annotations

from typing import Unpack

from seqdis.audio.options import AudioOptions
from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae.config import PredictionConfig, S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.vae_preset import VAESizes, plain_adam

__all__ = ["s3vae_timit", "s3vae_tones"]


def _base(
    *,
    preset: str,
    dataset: str,
    length: int,
    options: AudioOptions,
    channels: int = 512,
    consistency_weight: float = 1000.0,
    prediction_weight: float = 100.0,
    train: TrainConfig,
    **sizes: Unpack[VAESizes],
) -> RunConfig:
    """The numbers of App. D: 80 mel bands, silence to predict, plain Adam, and the weights of all its datasets.

    The paper is silent on the networks of a frame: two MLP layers are ours.

    Args:
        preset: The preset's name.
        dataset: A dataset's name.
        length: Frames of a sequence, V.
        options: Settings of the audio: rate, mel bands, window and hop.
        channels: Channels of the layers of encoder and decoder.
        consistency_weight: Weight λ1 of the static consistency loss.
        prediction_weight: Weight λ2 of the dynamic prediction loss.
        train: Settings of the training.
        **sizes: Widths of factors and networks.
    """
    backbone = BackboneConfig(kind="mlp", channels=channels, multipliers=(1, 1))
    return RunConfig(
        preset=preset,
        modality="audio",
        method="s3vae",
        data=DataConfig(dataset=dataset, length=length, frame_shape=(80,), options=options.model_dump()),
        model=S3VAEConfig(
            encoder=backbone,
            decoder=backbone,
            output="linear",
            prediction=PredictionConfig(target="silence", width=1, loss="binary"),
            consistency_weight=consistency_weight,
            prediction_weight=prediction_weight,
            information_weight=1.0,
            **sizes,
        ),
        train=train,
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def s3vae_timit() -> RunConfig:
    """TIMIT (widths of Tab. 3, the rest of App. D): 20 steps of 200 ms in all (App. E)."""
    return _base(
        preset="s3vae-timit",
        dataset="timit",
        length=20,
        options=AudioOptions(frame_shift_ms=10.0),
        static_dim=64,
        dynamic_dim=64,
        train=plain_adam(epochs=1000, batch_size=16, lr=1e-3),
    )


def s3vae_tones() -> RunConfig:
    """Generated melodies (ours, for a CPU): narrow networks, a tenth of the weights, 1,500 steps."""
    return _base(
        preset="s3vae-tones",
        dataset="tones",
        length=40,
        options=AudioOptions(frame_shift_ms=20.0, window_ms=64.0, n_fft=1024),
        static_dim=16,
        dynamic_dim=8,
        features=64,
        hidden_dim=64,
        channels=128,
        layer_norm=True,
        consistency_weight=100.0,
        prediction_weight=10.0,
        train=plain_adam(steps=1500, batch_size=32, lr=2e-3, schedule="cosine", warmup_steps=50, every=750),
    )
