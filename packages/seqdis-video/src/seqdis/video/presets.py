"""Presets for video: the four columns of DiffSDA's Tab. 6, our own, and those of the other methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from seqdis.core.config import CodecConfig, DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.bcd_presets import BCD_PRESETS
from seqdis.video.divid_presets import DIVID_PRESETS
from seqdis.video.options import VideoOptions
from seqdis.video.s3vae_presets import S3VAE_PRESETS
from seqdis.video.vdsm_presets import VDSM_PRESETS

__all__ = ["PRESETS"]


class _Paper(NamedTuple):
    side: int
    length: int
    codec: str
    repeats: int
    p_mean: float
    p_std: float
    nfe: int
    lr: float
    batch: int
    epochs: int
    static: int
    dynamic: int
    hidden: int
    channels: int
    prior_width: int
    prior_epochs: int


class _Own(NamedTuple):
    dataset: str
    side: int
    length: int
    p_mean: float
    p_std: float
    sampler: Literal["edm", "dpmpp"]
    nfe: int
    lr: float
    batch: int
    steps: int
    warmup: int
    ema: float
    every: int  # steps between validations and between checkpoints
    static: int
    dynamic: int
    hidden: int
    channels: int
    encoder: int  # the encoder's base channels
    multipliers: tuple[int, ...]
    attention: tuple[int, ...]
    blocks: int
    positions: int
    frames_per_clip: int
    prior_epochs: int


# fmt: off
_PAPER = {
    # Tab. 6 and, of the prior, Tab. 8; the data are folders of the user's, prepared as App. D says.
    #                            side  V   codec          rep. P_mean P_std NFE lr    bsz epochs s     d   hid.  base  prior ep.
    "diffsda-mug":       _Paper( 64,   15, "identity",    1,   -1.2,  1.2,  71, 1e-4, 8,  1600,  256,  64, 128,  64,  1216, 500),
    "diffsda-taichi":    _Paper( 64,   10, "identity",    150, -1.2,  1.2,  63, 1e-4, 16, 40,    512,  64, 1024, 64,  5008, 500),
    "diffsda-voxceleb":  _Paper( 256,  10, "autoencoder", 1,   -0.4,  1.0,  63, 1e-4, 16, 100,   512,  12, 1024, 192, 2528, 200),
    "diffsda-celebvhq":  _Paper( 256,  10, "autoencoder", 1,   -0.4,  1.0,  63, 1e-4, 16, 450,   1024, 16, 1024, 192, 4736, 1000),
}
_OWN = {
    # Small frames keep what they show up to high noise levels, so that the factors matter above them: P_mean
    # is higher than in the paper's columns.
    #                          dataset    side V  P_mean P_std sampler NFE lr    bsz steps  warm ema    every s    d   hid. base enc mult.         attn. blk pos f/clip prior ep.
    "diffsda-sprites":   _Own("sprites",  64,  8, -0.2,  1.2,  "dpmpp", 12, 2e-4, 32, 20000, 200, 0.999, 2000, 128, 16, 256, 64,  64,  (1, 2, 2, 2), (2,), 2,  2,  4,     20),
    "diffsda-sprites32": _Own("sprites",  32,  8, 0.0,   1.2,  "dpmpp", 12, 2e-3, 32, 3000,  100, 0.998, 750,  12,  4,  128, 16,  8,   (1, 2, 4),    (),   1,  2,  1,     20),
    "diffsda-shapes":    _Own("shapes",   16,  6, 0.2,   1.2,  "edm",   23, 3e-3, 32, 1500,  50,  0.99,  750,  8,   4,  64,  16,  12,  (1, 2, 4),    (),   1,  2,  2,     20),
    "diffsda-video":     _Own("folder",   64,  8, -0.2,  1.2,  "dpmpp", 12, 2e-4, 16, 20000, 200, 0.999, 1000, 128, 16, 256, 64,  64,  (1, 2, 2, 2), (2,), 1,  2,  4,     500),
}
# fmt: on


def _steps_of(nfe: int) -> int:
    return (nfe + 1) // 2  # Heun's method: NFE = 2N − 1


def _paper_preset(name: str, row: _Paper) -> RunConfig:
    backbone = BackboneConfig(kind="unet", channels=row.channels, multipliers=(1, 2, 2, 2), attention=(2,))
    return RunConfig(
        preset=name,
        modality="video",
        method="diffsda",
        data=DataConfig(
            dataset="folder",
            length=row.length,
            frame_shape=(3, row.side, row.side),
            pick="spread",  # App. D: "we randomly select 15 frames from the original sequences"
            repeats=row.repeats,
            options=VideoOptions().model_dump(),
        ),
        codec=CodecConfig(name=row.codec),
        model=DiffSDAConfig(
            static_dim=row.static,
            dynamic_dim=row.dynamic,
            hidden_dim=row.hidden,
            encoder=backbone,
            denoiser=backbone,
            p_mean=row.p_mean,
            p_std=row.p_std,
            sampler=EDMConfig(steps=_steps_of(row.nfe)),
        ),
        train=TrainConfig(epochs=row.epochs, batch_size=row.batch, lr=row.lr, weight_decay=1e-5),
        prior=PriorConfig(options={"hidden": row.prior_width, "epochs": row.prior_epochs}),
    )


def _own_preset(name: str, row: _Own) -> RunConfig:
    encoder = BackboneConfig(
        kind="unet",
        channels=row.encoder,
        multipliers=row.multipliers,
        attention=row.attention,
        blocks=row.blocks,
    )
    return RunConfig(
        preset=name,
        modality="video",
        method="diffsda",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(3, row.side, row.side),
            options=VideoOptions().model_dump(),
        ),
        model=DiffSDAConfig(
            static_dim=row.static,
            dynamic_dim=row.dynamic,
            hidden_dim=row.hidden,
            encoder=encoder,
            denoiser=encoder.model_copy(update={"channels": row.channels, "positions": row.positions}),
            p_mean=row.p_mean,
            p_std=row.p_std,
            frames_per_clip=row.frames_per_clip,
            sampler=EDMConfig(steps=_steps_of(row.nfe))
            if row.sampler == "edm"
            else DPMPPConfig(steps=row.nfe),
        ),
        train=TrainConfig(
            steps=row.steps,
            batch_size=row.batch,
            lr=row.lr,
            warmup_steps=row.warmup,
            ema_decay=row.ema,
            precision="auto",
            eval_every=row.every,
            save_every=row.every,
        ),
        prior=PriorConfig(options={"epochs": row.prior_epochs, "lr": 1e-3}),
    )


PRESETS: Mapping[str, RunConfig] = {
    **{name: _paper_preset(name, row) for name, row in _PAPER.items()},
    **{name: _own_preset(name, row) for name, row in _OWN.items()},
    **BCD_PRESETS,
    **S3VAE_PRESETS,
    **VDSM_PRESETS,
    **DIVID_PRESETS,
}
