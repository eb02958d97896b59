"""Presets for time series: DiffSDA's, one row each (Tab. 7, and two of ours), and S3VAE's from their own table."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, NamedTuple

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.timeseries.datasets.air_quality import FEATURES
from seqdis.timeseries.datasets.ett import LOADS
from seqdis.timeseries.datasets.physionet2012 import VITALS
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.s3vae_presets import S3VAE_PRESETS

__all__ = ["PRESETS"]


class _Row(NamedTuple):
    preset: str
    dataset: str
    length: int
    features: int
    lr: float
    batch: int
    epochs: int
    s_dim: int
    d_dim: int
    hidden: int
    base: int
    encoder: int
    multipliers: tuple[int, ...]
    steps: int
    repeats: int
    subset: int | None
    prior: int


# The first three rows are Tab. 7's columns, with P_mean -0.4, P_std 1.0, AdamW of weight decay 1e-5, and
# NFE 63 = 2N - 1. "base" and "enc" are the base channels of denoiser and encoder, "mult" the multipliers of
# both. "rep" is the authors' own (not in the table): each batch is trained on with ten draws of noise. "sub"
# is how many of a sequence's steps the denoiser trains on, all where None. "prior" is the epochs of the latent
# DDIM, for which Tab. 8 has no time series.
# Then the demo, and the start for a folder of one's own tables.
_ROWS = [_Row(*row) for row in (
    # preset             dataset          V    F   lr    bsz epochs  s   d  hidden base  enc  mult          N   rep sub   prior
    ("diffsda-physionet", "physionet2012", 80,  10, 5e-5, 30, 200,   24, 2, 96,    256,  96,  (4, 4, 4, 4), 32, 10, None, 200),
    ("diffsda-airq",      "air-quality",   672, 10, 1e-4, 10, 200,   16, 4, 512,   256,  128, (4, 4, 4, 4), 32, 10, None, 500),
    ("diffsda-etth1",     "ett",           672, 6,  1e-4, 10, 200,   16, 4, 512,   128,  256, (4, 4, 4, 4), 32, 10, None, 500),
    ("diffsda-waves",     "waves",         48,  6,  3e-3, 32, 16,    16, 1, 64,    64,   32,  (2, 2),       18, 1,  12,   20),
    ("diffsda-series",    "folder",        64,  1,  1e-3, 16, 200,   16, 4, 128,   128,  128, (2, 2, 2),    32, 4,  None, 500),
)]  # fmt: skip

_OPTIONS = {
    "diffsda-physionet": SeriesOptions(columns=VITALS, unit="h"),
    "diffsda-airq": SeriesOptions(columns=FEATURES, unit="h"),
    "diffsda-etth1": SeriesOptions(columns=LOADS, unit="h"),
}

_TRAIN: dict[str, dict[str, Any]] = {
    "diffsda-waves": {"ema_decay": 0.995, "eval_every": 500, "save_every": 500},
    "diffsda-series": {"ema_decay": 0.999},
}


def _preset(row: _Row) -> RunConfig:
    return RunConfig(
        preset=row.preset,
        modality="timeseries",
        method="diffsda",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(row.features,),
            normalize="channel",
            options=_OPTIONS.get(row.preset, SeriesOptions()).model_dump(mode="json"),
        ),
        model=DiffSDAConfig(
            static_dim=row.s_dim,
            dynamic_dim=row.d_dim,
            hidden_dim=row.hidden,
            encoder=BackboneConfig(kind="mlp", channels=row.encoder, multipliers=row.multipliers),
            denoiser=BackboneConfig(kind="mlp", channels=row.base, multipliers=row.multipliers),
            p_mean=-0.4,
            p_std=1.0,
            frames_per_clip=row.subset,
            noise_repeats=row.repeats,
            sampler=EDMConfig(steps=row.steps),
        ),
        train=TrainConfig(
            epochs=row.epochs,
            batch_size=row.batch,
            lr=row.lr,
            weight_decay=1e-5,
            **_TRAIN.get(row.preset, {}),
        ),
        prior=PriorConfig(options={"epochs": row.prior, "lr": 1e-3}),
    )


PRESETS = MappingProxyType({**{row.preset: _preset(row) for row in _ROWS}, **S3VAE_PRESETS})
"""All of them, by name."""
