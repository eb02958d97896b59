"""Presets of DiViD for video: the two datasets of its paper, sprites, and two small ones for a CPU."""

from __future__ import annotations

from typing import Literal

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.ddim import DDIMConfig
from seqdis.core.diffusion.samplers.ddpm import DDPMConfig
from seqdis.core.methods.divid.config import DiViDConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.options import VideoOptions

__all__ = ["divid_mead", "divid_mhad", "divid_shapes", "divid_sprites", "divid_sprites32"]


def _data(
    *, dataset: str, length: int, side: int = 64, pick: Literal["window", "spread"] = "window"
) -> DataConfig:
    return DataConfig(
        dataset=dataset,
        repeats=1 if dataset == "folder" else None,
        length=length,
        frame_shape=(3, side, side),
        pick=pick,
        options=VideoOptions().model_dump(),
    )


def _paper(*, preset: str, data: DataConfig, steps: int = 100000) -> RunConfig:
    """The sizes of Sec. 4.1, which all presets at 64x64 have.

    The section gives neither the channel multipliers (these are usual ones), nor the width of ``d`` and of the
    tokens, the resolution (four levels with attention at 32, 16 and 8 start at 64) or the optimisation: those are
    ours.

    Args:
        preset: The preset's name.
        data: Clips of 64x64 pixels.
        steps: Number of optimiser steps.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="divid",
        data=data,
        model=DiViDConfig(
            static_dim=256,
            dynamic_dim=256,
            # "Features projected to an embedding dimension of 3": a map of a quarter of the frame's side, flattened.
            # The linear layer behind it has as many numbers and changes nothing that the layers after it could not.
            feature_dim=3 * 16 * 16,
            hidden_dim=1024,
            attention_dim=256,
            attention_heads=8,
            token_dim=256,
            encoder=BackboneConfig(kind="unet", channels=128, multipliers=(1, 2, 4), blocks=2, embedding=3),
            denoiser=BackboneConfig(
                kind="unet", channels=128, multipliers=(1, 2, 3, 4), blocks=2, attention=(1, 2, 3)
            ),
            sampler=DDPMConfig(levels="chain", steps=1000),
        ),
        train=TrainConfig(
            steps=steps,
            batch_size=8,
            lr=1e-4,
            warmup_steps=1000,
            ema_decay=0.9999,
            precision="auto",
            eval_every=5000,
            save_every=5000,
        ),
        prior=PriorConfig(options={"epochs": 100, "lr": 1e-3}),
    )


def divid_mhad() -> RunConfig:
    """MHAD (Sec. 4.1): ten consecutive frames of a folder of the user's."""
    return _paper(preset="divid-mhad", data=_data(dataset="folder", length=10))


def divid_mead() -> RunConfig:
    """MEAD (Sec. 4.1): 15 frames spread over a video of a folder of the user's."""
    return _paper(preset="divid-mead", data=_data(dataset="folder", length=15, pick="spread"))


def divid_sprites() -> RunConfig:
    """Sprites at 64x64 (ours) with the sizes of Sec. 4.1: eight frames and half the steps."""
    return _paper(preset="divid-sprites", data=_data(dataset="sprites", length=8), steps=50000)


def _small(
    *,
    preset: str,
    data: DataConfig,
    static_dim: int,
    dynamic_dim: int,
    hidden_dim: int,
    attention_dim: int,
    attention_heads: int,
    token_dim: int,
    encoder_channels: int,
    frames_per_clip: int,
    sampler_steps: int,
    steps: int,
    batch_size: int,
    lr: float,
    warmup_steps: int,
    ema_decay: float,
    every: int,
    loss_on: Literal["epsilon", "velocity"] = "velocity",
    beta_schedule: Literal["linear", "cosine"] = "linear",
) -> RunConfig:
    """Settings that our presets for a CPU share: three levels with one block, a network that predicts v, and DDIM.

    In a training this short a loss on ε (Eq. 3) leaves the steps at which appearance is decided all but untrained.

    Args:
        preset: The preset's name.
        data: Dataset and shape of the clips.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        hidden_dim: Width of the static encoder's MLP.
        attention_dim: Width of a frame's feature, of the LSTM and of self-attention.
        attention_heads: Number of heads of the dynamic encoder's self-attention.
        token_dim: Width of the two tokens.
        encoder_channels: Base channels of the frame encoder.
        frames_per_clip: Random frames of a clip that the denoiser trains on.
        sampler_steps: Steps of DDIM on the chain.
        steps: Number of optimiser steps.
        batch_size: Clips a step.
        lr: Learning rate at its highest, after the warm-up.
        warmup_steps: Steps of the linear warm-up.
        ema_decay: Decay of the averaged weights.
        every: Steps between validations, and between checkpoints.
        loss_on: Quantity that the squared error compares: the noise, ``"epsilon"``, or ``"velocity"``.
        beta_schedule: The chain's schedule.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="divid",
        data=data,
        model=DiViDConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            feature_dim=attention_dim,
            hidden_dim=hidden_dim,
            attention_dim=attention_dim,
            attention_heads=attention_heads,
            token_dim=token_dim,
            encoder=BackboneConfig(kind="unet", channels=encoder_channels, multipliers=(1, 2, 4), blocks=1),
            denoiser=BackboneConfig(
                kind="unet",
                channels=16,
                multipliers=(1, 2, 4),
                blocks=1,
                attention=(2,),
                token_levels=(1, 2),
                positions=2,
            ),
            prediction="velocity",
            loss_on=loss_on,
            beta_schedule=beta_schedule,
            frames_per_clip=frames_per_clip,
            sampler=DDIMConfig(levels="chain", steps=sampler_steps),
        ),
        train=TrainConfig(
            steps=steps,
            batch_size=batch_size,
            lr=lr,
            warmup_steps=warmup_steps,
            ema_decay=ema_decay,
            precision="auto",
            eval_every=every,
            save_every=every,
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def divid_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): one frame a clip and step, and the error of v as its loss."""
    return _small(
        preset="divid-sprites32",
        data=_data(dataset="sprites", length=8, side=32),
        static_dim=64,
        dynamic_dim=16,
        hidden_dim=256,
        attention_dim=128,
        attention_heads=8,
        token_dim=64,
        encoder_channels=8,
        frames_per_clip=1,
        sampler_steps=12,
        steps=9000,
        batch_size=16,
        lr=2e-3,
        warmup_steps=100,
        ema_decay=0.998,
        every=1500,
    )


def divid_shapes() -> RunConfig:
    """Moving shapes at 16x16 (ours, for a CPU): six frames, the cosine schedule, and the paper's loss on ε (Eq. 3)."""
    return _small(
        preset="divid-shapes",
        data=_data(dataset="shapes", length=6, side=16),
        static_dim=32,
        dynamic_dim=8,
        hidden_dim=128,
        attention_dim=64,
        attention_heads=4,
        token_dim=32,
        encoder_channels=12,
        loss_on="epsilon",
        beta_schedule="cosine",
        frames_per_clip=2,
        sampler_steps=16,
        steps=1500,
        batch_size=32,
        lr=3e-3,
        warmup_steps=50,
        ema_decay=0.99,
        every=750,
    )
