"""Presets of DiffSDA for audio: the two audio columns of its Tab. 7, and three of our own."""

from __future__ import annotations

from seqdis.audio.options import FROM_RECORDINGS, AudioOptions, AudioSettings
from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["diffsda_arabic", "diffsda_audio", "diffsda_librispeech", "diffsda_timit", "diffsda_tones"]

# Slower than speech, so that a melody fits into 40 frames; the longer window tells harmonics apart.
_MUSIC = AudioOptions(frame_shift_ms=20.0, window_ms=64.0, n_fft=1024)


def _base(
    *,
    preset: str,
    dataset: str,
    length: int = 68,
    options: AudioSettings | None = None,
    static_dim: int = 32,
    dynamic_dim: int = 4,
    hidden_dim: int = 128,
    encoder_channels: int = 128,
    denoiser_channels: int = 256,
    frames_per_clip: int | None = None,
    sampler: SamplerConfig,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int,
    lr: float,
    warmup_steps: int | None = None,
    ema_decay: float = 0.999,
    every: int = 1000,
    prior_epochs: int,
) -> RunConfig:
    """The numbers that both audio columns of Tab. 7 share, and TIMIT's sizes.

    Speech in 68 frames of 80 mel bands, P_mean −0.4, P_std 1.0, four MLP layers of four times the base channels, and
    AdamW of weight decay 1e-5.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        length: Frames of a sequence, V.
        options: Settings that turn sound into frames; those of speech when omitted.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        hidden_dim: Width of both LSTMs and of a frame's feature.
        encoder_channels: Base channels of the frame encoder.
        denoiser_channels: Base channels of the denoiser.
        frames_per_clip: Random frames of a clip that the denoiser trains on; all when omitted.
        sampler: Settings of the sampler that decoding uses.
        epochs: Passes over the data; give this or steps.
        steps: Number of optimiser steps.
        batch_size: Sequences a step.
        lr: Learning rate at its highest, after the warm-up.
        warmup_steps: Steps of the linear warm-up; one epoch when omitted.
        ema_decay: Decay of the averaged weights.
        every: Steps between validations, and between checkpoints.
        prior_epochs: Passes of the latent DDIM over the factors, of which Tab. 8 says nothing for audio.
    """
    return RunConfig(
        preset=preset,
        modality="audio",
        method="diffsda",
        data=DataConfig(
            dataset=dataset,
            length=length,
            frame_shape=(80,),
            options=(options or AudioOptions()).model_dump(),
        ),
        model=DiffSDAConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            hidden_dim=hidden_dim,
            encoder=BackboneConfig(kind="mlp", channels=encoder_channels, multipliers=(4, 4, 4, 4)),
            denoiser=BackboneConfig(kind="mlp", channels=denoiser_channels, multipliers=(4, 4, 4, 4)),
            p_mean=-0.4,
            p_std=1.0,
            frames_per_clip=frames_per_clip,
            sampler=sampler,
        ),
        train=TrainConfig(
            epochs=epochs,
            steps=steps,
            batch_size=batch_size,
            lr=lr,
            weight_decay=1e-5,
            warmup_steps=warmup_steps,
            ema_decay=ema_decay,
            eval_every=every,
            save_every=every,
        ),
        prior=PriorConfig(options={"epochs": prior_epochs, "lr": 1e-3}),
    )


def diffsda_timit() -> RunConfig:
    """TIMIT (Tab. 7): NFE 63 (32 steps of Heun's method)."""
    return _base(
        preset="diffsda-timit",
        dataset="timit",
        sampler=EDMConfig(steps=32),
        epochs=750,
        batch_size=128,
        lr=1e-4,
        ema_decay=0.9999,
        prior_epochs=200,
    )


def diffsda_librispeech() -> RunConfig:
    """LibriSpeech (Tab. 7): narrower dynamics and denoiser, wider LSTMs, ten times the rate."""
    return _base(
        preset="diffsda-librispeech",
        dataset="librispeech",
        dynamic_dim=2,
        hidden_dim=256,
        denoiser_channels=64,
        sampler=EDMConfig(steps=32),
        epochs=200,
        batch_size=128,
        lr=1e-3,
        ema_decay=0.9999,
        prior_epochs=50,
    )


def diffsda_arabic() -> RunConfig:
    """Arabic speech commands (ours): TIMIT's sizes, 20,000 steps, and DPM-Solver++."""
    return _base(
        preset="diffsda-arabic",
        dataset="arabic_speech_commands",
        sampler=DPMPPConfig(steps=16),
        steps=20000,
        batch_size=64,
        lr=5e-4,
        prior_epochs=50,
    )


def diffsda_tones() -> RunConfig:
    """Generated melodies (ours, the demo): 40 slower frames, narrow networks, NFE 31 (16 steps of Heun's method)."""
    return _base(
        preset="diffsda-tones",
        dataset="tones",
        length=40,
        options=_MUSIC,
        static_dim=8,
        dynamic_dim=3,
        hidden_dim=64,
        encoder_channels=32,
        denoiser_channels=64,
        frames_per_clip=8,
        sampler=EDMConfig(steps=16),
        steps=1200,
        batch_size=32,
        lr=3e-3,
        warmup_steps=50,
        ema_decay=0.99,
        every=500,
        prior_epochs=20,
    )


def diffsda_audio() -> RunConfig:
    """A folder of one's own recordings (ours): as the Arabic commands, at the files' own sample rate."""
    return _base(
        preset="diffsda-audio",
        dataset="folder",
        options=FROM_RECORDINGS,
        sampler=DPMPPConfig(steps=16),
        steps=20000,
        batch_size=64,
        lr=5e-4,
        prior_epochs=500,
    )
