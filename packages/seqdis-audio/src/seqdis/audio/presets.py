"""Presets of audio: the two audio columns of DiffSDA's Tab. 7, three of our own, and those of S3VAE."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from seqdis.audio.options import AudioOptions
from seqdis.audio.s3vae_presets import S3VAE_PRESETS
from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["PRESETS"]

_SPEECH = AudioOptions()
# Slower than speech, so that a melody fits into 40 frames; the longer window tells harmonics apart.
_MUSIC = AudioOptions(frame_shift_ms=20.0, window_ms=64.0, n_fft=1024)


class _Row(NamedTuple):
    dataset: str
    length: int
    options: AudioOptions
    s: int
    d: int
    hidden: int
    base: int
    enc_base: int
    lr: float
    bsz: int
    epochs: int | None
    steps: int | None
    sampler: Literal["edm", "dpmpp"]
    nfe: int
    frames: int | None
    ema: float
    prior: int


# fmt: off
# Every row: P_mean -0.4, P_std 1.0, four MLP layers of 4x the base, AdamW with weight decay 1e-5.
# frames: random frames of a clip that the denoiser trains on (None: all of them). prior: epochs of the latent DDIM,
# for which the paper's Tab. 8 has no audio.
_TABLE = {
    # Tab. 7                dataset                   len  options   s   d  hid  base enc    lr   bsz  epochs steps  sampler  NFE frames  EMA     prior
    "diffsda-timit":       _Row("timit",                  68, _SPEECH, 32, 4, 128, 256, 128, 1e-4, 128,  750,  None, "edm",   63, None, 0.9999, 200),
    "diffsda-librispeech": _Row("librispeech",            68, _SPEECH, 32, 2, 256,  64, 128, 1e-3, 128,  200,  None, "edm",   63, None, 0.9999, 50),
    # ours
    "diffsda-arabic":      _Row("arabic_speech_commands", 68, _SPEECH, 32, 4, 128, 256, 128, 5e-4,  64, None, 20000, "dpmpp", 16, None, 0.999,  50),
    "diffsda-tones":       _Row("tones",                  40, _MUSIC,   8, 3,  64,  64,  32, 3e-3,  32, None,  1200, "edm",   31,    8, 0.99,   20),
    "diffsda-audio":       _Row("folder",                 68, _SPEECH, 32, 4, 128, 256, 128, 5e-4,  64, None, 20000, "dpmpp", 16, None, 0.999,  500),
}
# fmt: on


def _run_config(name: str, row: _Row) -> RunConfig:
    def backbone(base: int) -> BackboneConfig:
        return BackboneConfig(kind="mlp", channels=base, multipliers=(4, 4, 4, 4))

    demo = row.dataset == "tones"
    return RunConfig(
        preset=name,
        modality="audio",
        method="diffsda",
        data=DataConfig(
            dataset=row.dataset, length=row.length, frame_shape=(80,), options=row.options.model_dump()
        ),
        model=DiffSDAConfig(
            static_dim=row.s,
            dynamic_dim=row.d,
            hidden_dim=row.hidden,
            encoder=backbone(row.enc_base),
            denoiser=backbone(row.base),
            p_mean=-0.4,
            p_std=1.0,
            frames_per_clip=row.frames,
            sampler=EDMConfig(steps=(row.nfe + 1) // 2)
            if row.sampler == "edm"
            else DPMPPConfig(steps=row.nfe),
        ),
        train=TrainConfig(
            epochs=row.epochs,
            steps=row.steps,
            batch_size=row.bsz,
            lr=row.lr,
            weight_decay=1e-5,
            ema_decay=row.ema,
            warmup_steps=50 if demo else None,
            eval_every=500 if demo else 1000,
            save_every=500 if demo else 1000,
        ),
        prior=PriorConfig(options={"epochs": row.prior, "lr": 1e-3}),
    )


PRESETS: Mapping[str, RunConfig] = MappingProxyType(
    {name: _run_config(name, row) for name, row in _TABLE.items()} | dict(S3VAE_PRESETS)
)
"""Every preset by name."""
