"""Presets of S3VAE for time series: ours, for the paper has none. Small, for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae.config import S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.timeseries.datasets.air_quality import FEATURES
from seqdis.timeseries.datasets.ett import LOADS
from seqdis.timeseries.datasets.physionet2012 import VITALS
from seqdis.timeseries.options import SeriesOptions

__all__ = ["S3VAE_PRESETS"]


class _Row(NamedTuple):
    dataset: str
    columns: tuple[str, ...]
    length: int
    s: int
    d: int
    features: int
    hidden: int
    base: int
    weights: tuple[float, float]
    std: float
    bsz: int
    lr: float
    steps: int


# fmt: off
_TABLE = {
    # Both factors have the sizes of DiffSDA's Tab. 7, so that the two lines of a table compare. There is no pseudo-label
    # of a series' motion: the dynamic prediction is off. A sum of squares over channels of std 0.5 would drown each step
    # in noise of 1/sqrt(2), and the dynamics with it: "std" is a good deal smaller. l1 and l3 are the consistency and the
    # information. Two days hold 48 h; DiffSDA's 80 are padding.
    #                        dataset          columns   len  s   d  feat. hid. base l1, l3        std  bsz lr    steps
    "s3vae-physionet": _Row("physionet2012",  VITALS,   48,  24, 2, 64,   64,  128, (100.0, 1.0), 0.3, 32, 2e-3, 1500),
    "s3vae-airq":      _Row("air-quality",    FEATURES, 672, 16, 4, 64,   64,  128, (100.0, 1.0), 0.3, 16, 2e-3, 1000),
    "s3vae-etth1":     _Row("ett",            LOADS,    672, 16, 4, 64,   64,  128, (100.0, 1.0), 0.3, 16, 2e-3, 1000),
}
# fmt: on


def _preset(name: str, row: _Row) -> RunConfig:
    backbone = BackboneConfig(kind="mlp", channels=row.base, multipliers=(1, 1))
    consistency, information = row.weights
    return RunConfig(
        preset=name,
        modality="timeseries",
        method="s3vae",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(len(row.columns),),
            normalize="channel",
            options=SeriesOptions(columns=row.columns, unit="h").model_dump(mode="json"),
        ),
        model=S3VAEConfig(
            static_dim=row.s,
            dynamic_dim=row.d,
            features=row.features,
            hidden_dim=row.hidden,
            layer_norm=True,
            encoder=backbone,
            decoder=backbone,
            output="linear",
            frame_std=row.std,
            prediction_weight=0.0,
            consistency_weight=consistency,
            information_weight=information,
        ),
        train=TrainConfig(
            steps=row.steps,
            batch_size=row.bsz,
            lr=row.lr,
            weight_decay=0.0,  # plain Adam
            warmup_steps=50,
            grad_clip=None,
            ema_decay=0.0,
            eval_every=500,
            save_every=500,
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


S3VAE_PRESETS: Mapping[str, RunConfig] = {name: _preset(name, row) for name, row in _TABLE.items()}
