"""Sizes and training that presets of variational autoencoders with LSTMs (DSVAE, S3VAE) choose from."""

from __future__ import annotations

from typing import Literal, TypedDict

from seqdis.core.config import StageConfig, TrainConfig

__all__ = ["NetworkSizes", "VAESizes", "plain_adam"]


class NetworkSizes(TypedDict, total=False):
    """The sizes of the networks that a preset may choose; the method's own defaults hold for the others.

    Attributes:
        features: Width of a frame's feature.
        hidden_dim: Width of the recurrent layers.
        layer_norm: Whether the posterior normalises, which lets a short training begin at once.
    """

    features: int
    hidden_dim: int
    layer_norm: bool


class VAESizes(NetworkSizes, total=False):
    """The sizes of the networks and of the factors, and the spread of the frames.

    Attributes:
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        frame_std: σ of ``p(x | s, d)``; with 1/√2 the negative log-likelihood is the sum of squared errors and a
            constant.
    """

    static_dim: int
    dynamic_dim: int
    frame_std: float


def plain_adam(
    *,
    batch_size: int,
    lr: float,
    epochs: int | None = None,
    steps: int | None = None,
    schedule: Literal["cosine", "constant"] = "constant",
    warmup_steps: int = 0,
    every: int = 1000,
    stages: tuple[StageConfig, ...] = (),
) -> TrainConfig:
    """A training by Adam without weight decay, without clipped gradients and without averaged weights.

    The running statistics of batch norm are those of the weights themselves, not of an average.

    Args:
        batch_size: Sequences a step.
        lr: Learning rate of Adam after the warm-up.
        epochs: Passes over the data; give this or steps.
        steps: Number of optimiser steps.
        schedule: Course of the learning rate after the warm-up.
        warmup_steps: Steps of the linear warm-up.
        every: Steps between validations, and between checkpoints.
        stages: Parts of the run, which give its length where epochs and steps do not.
    """
    return TrainConfig(
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        weight_decay=0.0,
        warmup_steps=warmup_steps,
        schedule=schedule,
        grad_clip=None,
        ema_decay=0.0,
        stages=stages,
        eval_every=every,
        save_every=every,
    )
