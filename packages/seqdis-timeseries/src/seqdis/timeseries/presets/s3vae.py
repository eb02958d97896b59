"""Presets of S3VAE for time series: ours, for the paper has none. Small, for a CPU."""

from __future__ import annotations

from seqdis.core.config import DataConfig, PriorConfig, RunConfig
from seqdis.core.methods.s3vae.config import S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.vae_preset import plain_adam
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.presets.small_networks import SERIES_NETWORKS

__all__ = ["s3vae_airq", "s3vae_etth1", "s3vae_physionet"]


def _base(
    *,
    preset: str,
    dataset: str,
    columns: tuple[str, ...],
    length: int = 672,
    static_dim: int = 16,
    dynamic_dim: int = 4,
    batch_size: int = 16,
    steps: int = 1000,
) -> RunConfig:
    """The configuration that all presets share: four weeks by the hour, factors of DiffSDA's widths (Tab. 7), and no prediction.

    There is no pseudo-label of a series' motion. A sum of squares over channels of std 0.5 would drown each step in
    noise of 1/√2, and the dynamics with it: σ of the frames is a good deal smaller.

    Args:
        preset: The preset's name.
        dataset: A dataset's name.
        columns: Names of the channels.
        length: Steps of a sequence, V.
        static_dim: Width of ``s``.
        dynamic_dim: Width of ``d``.
        batch_size: Sequences a step.
        steps: Number of optimiser steps.
    """
    backbone = BackboneConfig(kind="mlp", channels=128, multipliers=(1, 1))
    return RunConfig(
        preset=preset,
        modality="timeseries",
        method="s3vae",
        data=DataConfig(
            dataset=dataset,
            length=length,
            frame_shape=(len(columns),),
            normalize="channel",
            options=SeriesOptions(columns=columns, unit="h").model_dump(mode="json"),
        ),
        model=S3VAEConfig(
            static_dim=static_dim,
            dynamic_dim=dynamic_dim,
            encoder=backbone,
            decoder=backbone,
            output="linear",
            frame_std=0.3,
            prediction_weight=0.0,
            consistency_weight=100.0,
            information_weight=1.0,
            **SERIES_NETWORKS,
        ),
        train=plain_adam(
            steps=steps, batch_size=batch_size, lr=2e-3, schedule="cosine", warmup_steps=50, every=500
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def s3vae_physionet() -> RunConfig:
    """PhysioNet 2012 (ours): the 48 hours that two days hold, of which DiffSDA's 80 steps are padding beyond."""
    from seqdis.timeseries.datasets.physionet2012 import VITALS

    return _base(
        preset="s3vae-physionet",
        dataset="physionet2012",
        columns=VITALS,
        length=48,
        static_dim=24,
        dynamic_dim=2,
        batch_size=32,
        steps=1500,
    )


def s3vae_airq() -> RunConfig:
    """Beijing air quality (ours), in the sizes of the base."""
    from seqdis.timeseries.datasets.air_quality import FEATURES

    return _base(preset="s3vae-airq", dataset="air-quality", columns=FEATURES)


def s3vae_etth1() -> RunConfig:
    """ETTh1 (ours), in the sizes of the base: six loads."""
    from seqdis.timeseries.datasets.ett import LOADS

    return _base(preset="s3vae-etth1", dataset="ett", columns=LOADS)
