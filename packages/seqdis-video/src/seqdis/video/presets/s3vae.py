"""Presets of S3VAE for video: the three datasets of its App. D, and two small ones for a CPU."""

from __future__ import annotations

from typing import Literal

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae.config import PredictionConfig, S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.options import VideoOptions

__all__ = ["s3vae_mug", "s3vae_shapes", "s3vae_smmnist", "s3vae_sprites", "s3vae_sprites32"]

_FLOW_CELLS = PredictionConfig(target="flow_cells", width=9, loss="cross_entropy")
_LANDMARK_DISTANCES = PredictionConfig(target="landmark_distances", width=3, loss="squared")


def _base(
    *,
    preset: str,
    dataset: str,
    frame_shape: tuple[int, int, int] = (3, 64, 64),
    length: int = 15,
    static_dim: int = 256,
    dynamic_dim: int = 32,
    features: int = 128,
    hidden_dim: int = 256,
    channels: int = 64,
    encoder: tuple[int, ...] = (1, 2, 4, 8),
    decoder: tuple[int, ...] = (8, 4, 2, 2, 1),
    frame_std: float = 2**-0.5,
    layer_norm: bool = False,
    prediction: PredictionConfig = _FLOW_CELLS,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 16,
    lr: float = 1e-3,
    schedule: Literal["cosine", "constant"] = "constant",
    warmup_steps: int = 0,
    every: int = 2000,
) -> RunConfig:
    """The numbers of App. D: 15 frames of 64x64, DCGAN's networks, optical flow to predict, plain Adam.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        frame_shape: Channels, height and width of a frame.
        length: Frames of a clip, V.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        features: Width of a frame's feature.
        hidden_dim: Width of the LSTMs.
        channels: Base channels of encoder and decoder.
        encoder: The encoder's channels over the base, layer by layer.
        decoder: The decoder's.
        frame_std: σ of ``p(x | s, d)``; with 1/√2 the negative log-likelihood is the sum of squared errors and a
            constant.
        layer_norm: Whether the posterior normalises, which lets a short training begin at once.
        prediction: What the dynamic factor must tell of each step.
        epochs: Passes over the data; give this or steps.
        steps: Optimiser steps.
        batch_size: Clips a step.
        lr: Learning rate.
        schedule: Of the learning rate.
        warmup_steps: Steps of the linear warm-up.
        every: Steps between validations, and between checkpoints.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="s3vae",
        data=DataConfig(
            dataset=dataset, length=length, frame_shape=frame_shape, options=VideoOptions().model_dump()
        ),
        model=S3VAEConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            features=features,
            hidden_dim=hidden_dim,
            layer_norm=layer_norm,
            encoder=BackboneConfig(kind="conv", channels=channels, multipliers=encoder),
            decoder=BackboneConfig(kind="conv", channels=channels, multipliers=decoder),
            output="sigmoid",
            frame_std=frame_std,
            prediction=prediction,
            consistency_weight=1000.0,
            prediction_weight=100.0,
            information_weight=1.0,
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
            # The running statistics of batch norm are those of the weights themselves, not of an average.
            ema_decay=0.0,
            eval_every=every,
            save_every=every,
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def s3vae_smmnist() -> RunConfig:
    """Stochastic Moving MNIST (App. D, Tab. 1): grey frames."""
    return _base(preset="s3vae-smmnist", dataset="smmnist", frame_shape=(1, 64, 64), epochs=1000)


def s3vae_sprites() -> RunConfig:
    """Sprites (App. D, Tab. 1): eight frames a clip."""
    return _base(preset="s3vae-sprites", dataset="sprites", length=8, epochs=1000)


def s3vae_mug() -> RunConfig:
    """MUG (App. D, Tab. 1): a folder of the user's clips, with the landmarks of their faces to predict.

    The landmarks stand in the file that ``data.options.landmarks`` names.
    """
    return _base(
        preset="s3vae-mug",
        dataset="folder",
        static_dim=8,
        dynamic_dim=128,
        prediction=_LANDMARK_DISTANCES,
        epochs=1000,
    )


def s3vae_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): narrow networks, a layer less, and a smaller σ of the frames."""
    return _base(
        preset="s3vae-sprites32",
        dataset="sprites",
        frame_shape=(3, 32, 32),
        length=8,
        static_dim=64,
        dynamic_dim=16,
        features=64,
        hidden_dim=128,
        channels=12,
        encoder=(2, 4, 8),
        decoder=(8, 4, 2, 1),
        frame_std=0.2,
        layer_norm=True,
        steps=3000,
        lr=2e-3,
        schedule="cosine",
        warmup_steps=100,
        every=1000,
    )


def s3vae_shapes() -> RunConfig:
    """Moving shapes at 16x16 (ours, for a CPU): six frames, two layers, and batches of 32."""
    return _base(
        preset="s3vae-shapes",
        dataset="shapes",
        frame_shape=(3, 16, 16),
        length=6,
        static_dim=16,
        dynamic_dim=8,
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
