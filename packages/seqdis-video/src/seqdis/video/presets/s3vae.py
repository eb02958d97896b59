"""Presets of S3VAE for video: the three datasets of its App. D, and two small ones for a CPU."""

from __future__ import annotations

from typing import Unpack

from seqdis.core.config import (
    DataConfig,
    PriorConfig,
    RampConfig,
    RunConfig,
    StageConfig,
    TrainConfig,
    change_config,
)
from seqdis.core.methods.s3vae.config import PredictionConfig, S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.vae_preset import VAESizes, plain_adam
from seqdis.video.options import VideoOptions
from seqdis.video.presets.small_networks import SHAPES_NETWORKS

__all__ = [
    "s3vae_mug",
    "s3vae_shapes",
    "s3vae_smmnist",
    "s3vae_sprites",
    "s3vae_sprites32",
    "s3vae_sprites32_paper",
]

_FLOW_CELLS = PredictionConfig(target="flow_cells", width=9, loss="cross_entropy")
_TRAINING = plain_adam(epochs=1000, batch_size=16, lr=1e-3, every=2000)
_STEPS32 = 20000
_SEPARATION32 = {
    "kl_static_weight": RampConfig(start=0.05, end=0.25, via=((0.1, 0.25),)),
    "dynamic_noise": RampConfig(start=0.6, end=0.4, via=((0.4, 0.6), (0.7, 0.4))),
    "predictability_weight": RampConfig(start=3000.0, end=300.0, via=((0.35, 3000.0), (0.6, 300.0))),
}
_LANDMARK_DISTANCES = PredictionConfig(target="landmark_distances", width=3, loss="squared")


def _base(
    *,
    preset: str,
    dataset: str,
    frame_shape: tuple[int, int, int] = (3, 64, 64),
    length: int = 15,
    channels: int = 64,
    encoder: tuple[int, ...] = (1, 2, 4, 8),
    decoder: tuple[int, ...] = (8, 4, 2, 2, 1),
    prediction: PredictionConfig = _FLOW_CELLS,
    reversal_weight: float = 0.0,
    information_into_dynamic: bool = True,
    train: TrainConfig,
    **sizes: Unpack[VAESizes],
) -> RunConfig:
    """The numbers of App. D: 15 frames of 64x64, DCGAN's networks, optical flow to predict, plain Adam.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        frame_shape: Channels, height and width of a frame.
        length: Frames of a clip, V.
        channels: Base channels of encoder and decoder.
        encoder: The encoder's channels over the base, layer by layer.
        decoder: The decoder's channels over the base.
        prediction: Pseudo-label that the dynamic factor must tell of each step.
        reversal_weight: Weight of predicting it from the static factor with the gradient reversed.
        information_into_dynamic: Whether the mutual information also moves the dynamic factor.
        train: Settings of the training.
        **sizes: Widths of factors and networks.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="s3vae",
        data=DataConfig(
            dataset=dataset,
            length=length,
            frame_shape=frame_shape,
            repeats=1 if dataset == "folder" else None,
            options=VideoOptions().model_dump(),
        ),
        model=S3VAEConfig(
            encoder=BackboneConfig(kind="conv", channels=channels, multipliers=encoder),
            decoder=BackboneConfig(kind="conv", channels=channels, multipliers=decoder),
            output="sigmoid",
            prediction=prediction,
            consistency_weight=1000.0,
            prediction_weight=100.0,
            information_weight=1.0,
            reversal_weight=reversal_weight,
            information_into_dynamic=information_into_dynamic,
            **sizes,
        ),
        train=train,
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def s3vae_smmnist() -> RunConfig:
    """Stochastic Moving MNIST (App. D, Tab. 1): grey frames."""
    return _base(
        preset="s3vae-smmnist",
        dataset="smmnist",
        frame_shape=(1, 64, 64),
        static_dim=256,
        dynamic_dim=32,
        train=_TRAINING,
    )


def s3vae_sprites() -> RunConfig:
    """Sprites (App. D, Tab. 1): eight frames a clip."""
    return _base(
        preset="s3vae-sprites", dataset="sprites", length=8, static_dim=256, dynamic_dim=32, train=_TRAINING
    )


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
        train=_TRAINING,
    )


def s3vae_sprites32_paper() -> RunConfig:
    """Sprites at 32x32 by App. D, in widths and steps for a CPU.

    Losses, weights, the sum of squares as the likelihood, factors of 256 and 32 numbers, and a constant rate are the
    paper's. What is ours is the size of the frame and what follows from it: a layer less in both networks, of a
    quarter of the width, and the number of steps.
    """
    return _base(
        preset="s3vae-sprites32-paper",
        dataset="sprites",
        frame_shape=(3, 32, 32),
        length=8,
        channels=16,
        encoder=(1, 2, 4),
        decoder=(8, 4, 2, 1),
        static_dim=256,
        dynamic_dim=32,
        train=plain_adam(steps=_STEPS32, batch_size=16, lr=1e-3, every=1000),
    )


def s3vae_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): ``d`` behind noise, ``s`` from one frame, and the heading driven out of ``s``.

    Unlike :func:`s3vae_sprites32_paper`, which trains for as long:

    - ``q(d | x)`` has a standard deviation of its own, 0.6 of d's power at first: 15 bits a frame, room for an action and its
      step (6 bits) and for no look. It falls to 0.4 once the looks are in ``s``, so that small things are seen in their places.
    - ``q(s | x)`` is read from a random frame; the flow cells are also predicted from ``s`` with the gradient reversed, and
      what ``s`` tells of ``d`` is driven out of it, less when there is less noise on ``d`` to hide looks.
    - The decoder is a perceptron over all pixels.
    - A smaller σ of the frames and lower weights of the divergence of ``s``, so that small things count; the mutual
      information, which sits at its ceiling, moves ``d`` no more; factors of a quarter and half of the width, layer norms and
      narrower LSTMs in the posterior; twice the rate, falling to 0 along a cosine.
    """
    config = _base(
        preset="s3vae-sprites32",
        dataset="sprites",
        frame_shape=(3, 32, 32),
        length=8,
        channels=12,
        encoder=(2, 4, 8),
        static_dim=64,
        dynamic_dim=16,
        hidden_dim=128,
        layer_norm=True,
        frame_std=0.1,
        reversal_weight=400.0,
        information_into_dynamic=False,
        train=plain_adam(
            batch_size=16,
            lr=2e-3,
            schedule="cosine",
            warmup_steps=100,
            every=2000,
            stages=(StageConfig(name="training", steps=_STEPS32, ramps=_SEPARATION32),),
        ),
    )
    return change_config(
        config,
        {
            "model.decoder.kind": "mlp",
            "model.decoder.channels": 512,
            "model.decoder.multipliers": (1, 1, 1),
            "model.static_frames": "random",
            "model.prediction_weight": 400.0,
            "model.kl_static_weight": 0.25,
            "model.dynamic_noise": 0.4,
            "model.predictability_weight": 300.0,
        },
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
        train=plain_adam(steps=1200, batch_size=32, lr=2e-3, schedule="cosine", warmup_steps=100, every=600),
        **SHAPES_NETWORKS,
    )
