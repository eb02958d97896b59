"""Presets of DiffSDA for video: the four columns of its Tab. 6, and five of our own."""

from __future__ import annotations

from typing import Any, Literal

from seqdis.core.config import (
    CodecConfig,
    DataConfig,
    PriorConfig,
    RampConfig,
    RunConfig,
    StageConfig,
    TrainConfig,
    change_config,
)
from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.options import VideoOptions

__all__ = [
    "diffsda_celebvhq",
    "diffsda_mug",
    "diffsda_shapes",
    "diffsda_sprites",
    "diffsda_sprites32",
    "diffsda_sprites32_paper",
    "diffsda_taichi",
    "diffsda_video",
    "diffsda_voxceleb",
]

_DPM_SOLVER = DPMPPConfig(steps=12)
_SPRITES32: dict[str, Any] = {
    "dataset": "sprites",
    "side": 32,
    "static_dim": 64,
    "dynamic_dim": 16,
    "hidden_dim": 128,
    "encoder": BackboneConfig(kind="unet", channels=8, multipliers=(1, 2, 4), blocks=1),
    "denoiser_channels": 16,
    "lr": 2e-3,
    "warmup_steps": 100,
    "ema_decay": 0.998,
}
"""What both presets for sprites at 32x32 share."""


def _paper(
    *,
    preset: str,
    static_dim: int,
    dynamic_dim: int,
    hidden_dim: int,
    epochs: int,
    prior: PriorConfig,
    side: int = 64,
    length: int = 10,
    repeats: int = 1,
    codec: str = "identity",
    channels: int = 64,
    p_mean: float = -1.2,
    p_std: float = 1.2,
    steps: int = 32,
    batch_size: int = 16,
) -> RunConfig:
    """Settings that the columns of Tab. 6 share: 10 frames of 64x64 of a folder of the user's, and NFE 63.

    Args:
        preset: The preset's name.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        hidden_dim: Width of both LSTMs and of a frame's feature.
        epochs: Passes over the data.
        prior: The latent DDIM of Tab. 8.
        side: Height and width of a frame, in pixels.
        length: Frames of a clip, V.
        repeats: Visits of each clip in an epoch.
        codec: The frame codec in front of the model.
        channels: Base channels of encoder and denoiser.
        p_mean: Mean of ``ln σ`` in training.
        p_std: Standard deviation of ``ln σ`` in training.
        steps: Noise levels N of Heun's method; NFE = 2N − 1.
        batch_size: Clips a step.
    """
    backbone = BackboneConfig(kind="unet", channels=channels, multipliers=(1, 2, 2, 2), attention=(2,))
    return RunConfig(
        preset=preset,
        modality="video",
        method="diffsda",
        data=DataConfig(
            dataset="folder",
            length=length,
            frame_shape=(3, side, side),
            pick="spread",  # App. D: "we randomly select 15 frames from the original sequences"
            repeats=repeats,
            options=VideoOptions().model_dump(),
        ),
        codec=CodecConfig(name=codec),
        model=DiffSDAConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            hidden_dim=hidden_dim,
            encoder=backbone,
            denoiser=backbone,
            p_mean=p_mean,
            p_std=p_std,
            sampler=EDMConfig(steps=steps),
        ),
        train=TrainConfig(epochs=epochs, batch_size=batch_size, lr=1e-4, weight_decay=1e-5),
        prior=prior,
    )


def diffsda_mug() -> RunConfig:
    """MUG (Tab. 6): 15 frames, NFE 71 (36 steps of Heun's method), the smallest batch and the longest training."""
    return _paper(
        preset="diffsda-mug",
        length=15,
        static_dim=256,
        dynamic_dim=64,
        hidden_dim=128,
        steps=36,
        batch_size=8,
        epochs=1600,
        prior=PriorConfig(options={"hidden": 1216, "epochs": 500}),
    )


def diffsda_taichi() -> RunConfig:
    """Taichi-HD (Tab. 6): each of its few clips is visited 150 times an epoch."""
    return _paper(
        preset="diffsda-taichi",
        repeats=150,
        static_dim=512,
        dynamic_dim=64,
        hidden_dim=1024,
        epochs=40,
        prior=PriorConfig(options={"hidden": 5008, "epochs": 500}),
    )


def diffsda_voxceleb() -> RunConfig:
    """VoxCeleb (Tab. 6): 256x256 frames behind an autoencoder, three times the channels."""
    return _paper(
        preset="diffsda-voxceleb",
        side=256,
        codec="autoencoder",
        channels=192,
        static_dim=512,
        dynamic_dim=12,
        hidden_dim=1024,
        p_mean=-0.4,
        p_std=1.0,
        epochs=100,
        prior=PriorConfig(options={"hidden": 2528, "epochs": 200}),
    )


def diffsda_celebvhq() -> RunConfig:
    """CelebV-HQ (Tab. 6): as VoxCeleb, with a static factor twice as wide."""
    return _paper(
        preset="diffsda-celebvhq",
        side=256,
        codec="autoencoder",
        channels=192,
        static_dim=1024,
        dynamic_dim=16,
        hidden_dim=1024,
        p_mean=-0.4,
        p_std=1.0,
        epochs=450,
        prior=PriorConfig(options={"hidden": 4736, "epochs": 1000}),
    )


def _ours(
    *,
    preset: str,
    dataset: str,
    side: int,
    static_dim: int,
    dynamic_dim: int,
    hidden_dim: int,
    encoder: BackboneConfig,
    denoiser_channels: int,
    p_mean: float,
    frames_per_clip: int,
    steps: int,
    lr: float,
    warmup_steps: int,
    ema_decay: float,
    every: int,
    length: int = 8,
    sampler: SamplerConfig = _DPM_SOLVER,
    batch_size: int = 32,
    prior_epochs: int = 20,
    sequence_encoder: Literal["lstms", "residual"] = "lstms",
) -> RunConfig:
    """Settings that our own presets share: eight frames, DPM-Solver++, and a denoiser that sees pixel coordinates.

    Small frames keep what they show up to high noise levels, so that the factors matter above them: P_mean is
    higher than in the paper's columns.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        side: Height and width of a frame, in pixels.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        hidden_dim: Width of both LSTMs and of a frame's feature.
        encoder: Size of the frame encoder.
        denoiser_channels: Base channels of the denoiser, which is like the encoder otherwise.
        p_mean: Mean of ``ln σ`` in training.
        frames_per_clip: Random frames of a clip that the denoiser trains on.
        steps: Number of optimiser steps.
        lr: Learning rate at its highest, after the warm-up.
        warmup_steps: Steps of the linear warm-up.
        ema_decay: Decay of the averaged weights.
        every: Steps between validations, and between checkpoints.
        length: Frames of a clip, V.
        sampler: Settings of the sampler that decoding uses.
        batch_size: Clips a step.
        prior_epochs: Passes of the latent DDIM over the factors.
        sequence_encoder: Network from the features of all frames to both factors.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="diffsda",
        data=DataConfig(
            dataset=dataset, length=length, frame_shape=(3, side, side), options=VideoOptions().model_dump()
        ),
        model=DiffSDAConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            hidden_dim=hidden_dim,
            sequence_encoder=sequence_encoder,
            encoder=encoder,
            denoiser=encoder.model_copy(update={"channels": denoiser_channels, "positions": 2}),
            p_mean=p_mean,
            p_std=1.2,
            frames_per_clip=frames_per_clip,
            sampler=sampler,
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
        prior=PriorConfig(options={"epochs": prior_epochs, "lr": 1e-3}),
    )


def diffsda_sprites() -> RunConfig:
    """Sprites at 64x64 (ours): the paper's U-Net at that side, trained on four frames of a clip at a time."""
    return _ours(
        preset="diffsda-sprites",
        dataset="sprites",
        side=64,
        static_dim=128,
        dynamic_dim=16,
        hidden_dim=256,
        encoder=BackboneConfig(kind="unet", channels=64, multipliers=(1, 2, 2, 2), attention=(2,), blocks=2),
        denoiser_channels=64,
        p_mean=-0.2,
        frames_per_clip=4,
        steps=20000,
        lr=2e-4,
        warmup_steps=200,
        ema_decay=0.999,
        every=2000,
    )


def diffsda_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): ``s`` from the first frame, ``d`` behind noise, and nothing in both.

    What differs from the paper, and from :func:`diffsda_sprites32_paper`, which is as large and trains for 5,000 steps of one frame a clip:

    - Both factors come from DiViD's sequence encoder. The last state of an LSTM has seen all frames; it holds the action
      and the heading, which last for the whole clip, and the decoder need not read them from ``d``.
    - The decoder is given ``d`` behind noise. Up to a fifth of the training it is of d's own power, 8 bits a frame: the looks
      do not pass, and are left to ``s``. Then it falls to σ = 0.3, so that small things are seen in their places.
    - What ``s`` tells of ``d``, an action that the first frame shows, is driven out of ``s``.
    - The denoiser sees pixel coordinates, and levels σ are drawn higher (P_mean 1), where frames of this size show
      nothing but what the factors say; two frames of a clip a step, and four fifths of the steps.
    - DPM-Solver++ decodes, in 12 steps.
    """
    config = _ours(
        preset="diffsda-sprites32",
        sequence_encoder="residual",
        p_mean=1.0,
        frames_per_clip=2,
        steps=4000,
        every=1000,
        **_SPRITES32,
    )
    noise = RampConfig(start=0.0, end=0.3, via=((0.05, 1.0), (0.2, 1.0), (0.5, 0.4)))
    stage = StageConfig(name="training", steps=config.train.steps, ramps={"dynamic_noise": noise})
    return change_config(
        config, {"model.dynamic_noise": 0.3, "model.predictability_weight": 0.05, "train.stages": (stage,)}
    )


def diffsda_sprites32_paper() -> RunConfig:
    """Sprites at 32x32 as the paper has it, of the sizes and the length of :func:`diffsda_sprites32`.

    Two LSTMs (Sec. 3.2, Eq. 2), AdaGN (Eq. 9), P_mean, P_std, weight decay and Heun's method as in the columns of Tab. 6 for
    pixels. The paper has no such column: widths, steps, rate and batch are ours, and so is it that the denoiser trains on a
    few frames of each clip, which gives the same loss on average.
    """
    config = _ours(
        preset="diffsda-sprites32-paper",
        p_mean=-1.2,
        sampler=EDMConfig(steps=32),
        frames_per_clip=1,
        steps=5000,
        every=1250,
        **_SPRITES32,
    )
    return change_config(config, {"model.denoiser.positions": 0, "train.weight_decay": 1e-5})


def diffsda_shapes() -> RunConfig:
    """Moving shapes at 16x16 (ours, the demo): six frames, and Heun's method with NFE 23."""
    return _ours(
        preset="diffsda-shapes",
        dataset="shapes",
        side=16,
        length=6,
        static_dim=8,
        dynamic_dim=4,
        hidden_dim=64,
        encoder=BackboneConfig(kind="unet", channels=12, multipliers=(1, 2, 4), blocks=1),
        denoiser_channels=16,
        p_mean=0.2,
        frames_per_clip=2,
        sampler=EDMConfig(steps=12),
        steps=1500,
        lr=3e-3,
        warmup_steps=50,
        ema_decay=0.99,
        every=750,
    )


def diffsda_video() -> RunConfig:
    """A folder of one's own clips at 64x64 (ours): as sprites, with one block a level and a batch of 16."""
    return _ours(
        preset="diffsda-video",
        dataset="folder",
        side=64,
        static_dim=128,
        dynamic_dim=16,
        hidden_dim=256,
        encoder=BackboneConfig(kind="unet", channels=64, multipliers=(1, 2, 2, 2), attention=(2,), blocks=1),
        denoiser_channels=64,
        p_mean=-0.2,
        frames_per_clip=4,
        prior_epochs=500,
        steps=20000,
        batch_size=16,
        lr=2e-4,
        warmup_steps=200,
        ema_decay=0.999,
        every=1000,
    )
