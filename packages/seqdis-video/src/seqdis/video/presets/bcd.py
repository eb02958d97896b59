"""Presets of BCD for video: the columns of its Tab. A7 and A8, and two small ones for a CPU."""

from __future__ import annotations

from typing import Literal

from seqdis.core.config import CodecConfig, DataConfig, PriorConfig, RunConfig, StageConfig, TrainConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.bcd.config import BCDConfig, SequenceEncoderConfig
from seqdis.core.methods.bcd.dit_config import dit_config
from seqdis.video.options import VideoOptions

__all__ = ["bcd_lrs3", "bcd_shapes", "bcd_sprites", "bcd_sprites32"]

_SMALL_PRIOR = PriorConfig(
    kind="autoregressive",
    options={"width": 96, "depth": 3, "heads": 3, "lr": 1e-3, "batch_size": 128, "epochs": 20},
)


def _base(
    *,
    preset: str,
    dataset: str,
    side: int,
    encoder: SequenceEncoderConfig,
    decoder: str,
    groups: int,
    codes: int,
    code_dim: int,
    target_bits: float,
    sampler_steps: int,
    lr: float,
    batch_size: int,
    spatial_epochs: int,
    temporal_epochs: int,
    length: int = 8,
    fps: float = 25.0,
    stride: int = 1,
    codec: str = "identity",
    temperature: float = 2.0,
    temperature_end: float = 0.5,
    temperature_decay: float = 0.9999972,
    encoder_rate: float = 1.0,
    distance_scale: float = 1.0,
    ema_decay: float = 0.0,
    p_mean: float = -1.2,
    spatial_steps: int | None = None,
    temporal_steps: int | None = None,
    schedule: Literal["cosine", "constant"] = "constant",
    warmup_steps: int | None = None,
    prior: PriorConfig = _SMALL_PRIOR,
) -> RunConfig:
    """The numbers of Tab. A7 and A8 that both columns share, and the two phases of Sec. 4.2.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        side: Height and width of a frame, in pixels.
        encoder: Size of the T5 encoder.
        decoder: Name of the diffusion transformer, such as ``"S/8"``.
        groups: Number of codebooks, G.
        codes: Entries of each, J.
        code_dim: Channels of an entry.
        target_bits: R_target, bits a frame.
        sampler_steps: Noise levels N.
        lr: Learning rate of the decoder.
        batch_size: Clips a step.
        spatial_epochs: Length of the phase without temporal blocks.
        temporal_epochs: Length of the phase with them, in which the encoder's rate is halved.
        length: Frames of a clip, V; training sees halves of clips.
        fps: Frames a second of the recordings.
        stride: Every n-th frame of them is kept.
        codec: The frame codec in front of the model.
        temperature: Temperature of the Gumbel-softmax at the first step.
        temperature_end: Lowest temperature of the Gumbel-softmax.
        temperature_decay: Factor on the temperature at every step.
        encoder_rate: Rate of encoder and codebooks over ``lr``.
        distance_scale: α of Eq. 1.
        ema_decay: Decay of the bitrate's moving average over batches.
        p_mean: Mean of ``ln σ`` in training.
        spatial_steps: Optimiser steps of the first phase, which win over its epochs.
        temporal_steps: Optimiser steps of the second phase, which win over its epochs.
        schedule: Course of the learning rate after the warm-up.
        warmup_steps: Steps of the linear warm-up; one epoch when omitted.
        prior: The prior of codes; small, for the paper generates motion of LRS3 alone.
    """
    rates = {"encoder": encoder_rate, "quantizer": encoder_rate}
    return RunConfig(
        preset=preset,
        modality="video",
        method="bcd",
        data=DataConfig(
            dataset=dataset,
            repeats=1 if dataset == "folder" else None,
            length=length,
            frame_shape=(3, side, side),
            options=VideoOptions(stride=stride, output_fps=fps / stride).model_dump(),
        ),
        codec=CodecConfig(name=codec),
        model=BCDConfig(
            encoder=encoder,
            decoder=dit_config(decoder),
            groups=groups,
            codes=codes,
            code_dim=code_dim,
            target_bits=target_bits,
            window=length // 2,
            fps=fps,  # the paper says 4 kbps of 160 bits at 25 frames a second, whatever the stride
            distance_scale=distance_scale,
            ema_decay=ema_decay,
            p_mean=p_mean,
            temperature=temperature,
            temperature_end=temperature_end,
            temperature_decay=temperature_decay,
            sampler=EDMConfig(steps=sampler_steps, guidance=1.5),
        ),
        train=TrainConfig(
            stages=(
                StageConfig(
                    name="spatial",
                    epochs=spatial_epochs,
                    steps=spatial_steps,
                    rates=rates,
                    frozen=("temporal",),
                ),
                StageConfig(
                    name="temporal",
                    epochs=temporal_epochs,
                    steps=temporal_steps,
                    rates=rates | {"encoder": encoder_rate / 2},
                ),
            ),
            batch_size=batch_size,
            lr=lr,
            weight_decay=0.01,
            warmup_steps=warmup_steps,
            schedule=schedule,
            ema_decay=0.999,
            precision="auto",
        ),
        prior=prior,
    )


def bcd_lrs3() -> RunConfig:
    """LRS3 (Tab. A7, epochs of Sec. 4.2): a folder of the user's clips, at 256x256 behind an autoencoder.

    The paper gives no α of Eq. 1; with 1 an entry is drawn almost whatever the frame shows, and the rate is met by noise.
    A clip of 50 frames spans four seconds of 25 frames each, of which every second one is kept (App. A.1). The prior
    is that of Tab. A9, which gives no epochs.
    """
    return _base(
        preset="bcd-lrs3",
        dataset="folder",
        side=256,
        length=50,
        stride=2,
        codec="autoencoder",
        encoder=SequenceEncoderConfig(width=512, feedforward=2048, depth=12, heads=8),
        decoder="B/4",
        groups=64,
        codes=32,
        code_dim=16,
        target_bits=160,
        distance_scale=4.0,
        temperature=1.5,
        temperature_end=0.1,
        sampler_steps=128,
        lr=2e-4,
        encoder_rate=0.5,
        batch_size=32,
        spatial_epochs=30,
        temporal_epochs=15,
        prior=PriorConfig(
            kind="autoregressive",
            options={"width": 1024, "depth": 12, "heads": 8, "lr": 1e-4, "batch_size": 256, "epochs": 100},
        ),
    )


def bcd_sprites() -> RunConfig:
    """Sprites at 64x64 (Tab. A8; epochs and α are ours): one codebook that is used in full, and a DiT-S/8 on pixels.

    The paper gives no α of Eq. 1: with 12, codes begin with most of the bits of the target; with 1, a third of a bit says
    something of the frame, and the rest is noise.
    """
    return _base(
        preset="bcd-sprites",
        dataset="sprites",
        side=64,
        encoder=SequenceEncoderConfig(width=384, feedforward=1536, depth=12, heads=6),
        decoder="S/8",
        groups=1,
        codes=64,
        code_dim=384,
        target_bits=6,
        distance_scale=12.0,
        sampler_steps=50,
        lr=5e-5,
        batch_size=128,
        spatial_epochs=200,
        temporal_epochs=100,
    )


def bcd_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): two codebooks, two layers, and a bitrate held over eight batches.

    Eight batches of 16 clips are as many clips as one batch of the paper's has.
    """
    return _base(
        preset="bcd-sprites32",
        dataset="sprites",
        side=32,
        encoder=SequenceEncoderConfig(width=128, feedforward=256, depth=2, heads=4),
        decoder="XXS/4",
        groups=2,
        codes=32,
        code_dim=64,
        target_bits=6,
        distance_scale=12.0,
        ema_decay=0.875,
        p_mean=0.4,
        temperature_decay=0.999,
        sampler_steps=8,
        lr=1.5e-3,
        schedule="cosine",
        warmup_steps=50,
        batch_size=16,
        spatial_epochs=2,
        temporal_epochs=1,
        spatial_steps=1500,
        temporal_steps=500,
    )


def bcd_shapes() -> RunConfig:
    """Moving shapes at 16x16 (ours, for a CPU): six frames, one codebook of 32 entries, two layers."""
    return _base(
        preset="bcd-shapes",
        dataset="shapes",
        side=16,
        length=6,
        fps=8.0,
        encoder=SequenceEncoderConfig(width=96, feedforward=192, depth=2, heads=3),
        decoder="XXS/4",
        groups=1,
        codes=32,
        code_dim=64,
        target_bits=4,
        distance_scale=8.0,
        p_mean=0.2,
        temperature_decay=0.999,
        sampler_steps=8,
        lr=1.5e-3,
        schedule="cosine",
        warmup_steps=50,
        batch_size=16,
        spatial_epochs=4,
        temporal_epochs=2,
        spatial_steps=1500,
        temporal_steps=500,
    )
