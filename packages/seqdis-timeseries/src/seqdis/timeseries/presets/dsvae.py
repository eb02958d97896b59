"""Presets of DSVAE for time series: ours, for the paper has none. Small, for a CPU."""

from __future__ import annotations

from seqdis.core.config import DataConfig, PriorConfig, RunConfig
from seqdis.core.methods.dsvae.config import DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.vae_preset import plain_adam
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.presets.small_networks import SERIES_NETWORKS

__all__ = ["dsvae_series", "dsvae_waves"]


def _base(
    *,
    preset: str,
    dataset: str,
    channels: int | None,
    length: int,
    dynamic_dim: int,
    batch_size: int,
    steps: int,
) -> RunConfig:
    """The configuration that both presets share: eight static numbers, two MLP layers a step, the full posterior, and a small σ of the frames.

    A sum of squares over channels of std 0.5 would drown each step in noise of 1/√2, and the dynamics with it.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        channels: Numbers of a step; those of the files when None.
        length: Steps of a sequence, V.
        dynamic_dim: Width of ``d``.
        batch_size: Sequences a step.
        steps: Number of optimiser steps.
    """
    backbone = BackboneConfig(kind="mlp", channels=128, multipliers=(1, 1))
    return RunConfig(
        preset=preset,
        modality="timeseries",
        method="dsvae",
        data=DataConfig(
            dataset=dataset,
            length=length,
            frame_shape=() if channels is None else (channels,),
            normalize="channel",
            options=SeriesOptions().model_dump(mode="json"),
        ),
        model=DSVAEConfig(
            static_dim=8,
            dynamic_dim=dynamic_dim,
            encoder=backbone,
            decoder=backbone,
            output="linear",
            frame_std=0.2,
            **SERIES_NETWORKS,
        ),
        train=plain_adam(
            steps=steps, batch_size=batch_size, lr=2e-3, schedule="cosine", warmup_steps=50, every=500
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


def dsvae_waves() -> RunConfig:
    """Generated waves (ours): 48 steps of six channels, two numbers of dynamics."""
    return _base(
        preset="dsvae-waves",
        dataset="waves",
        channels=6,
        length=48,
        dynamic_dim=2,
        batch_size=32,
        steps=1500,
    )


def dsvae_series() -> RunConfig:
    """One's own tables (ours): windows of 64 steps of all their channels."""
    return _base(
        preset="dsvae-series",
        dataset="folder",
        channels=None,
        length=64,
        dynamic_dim=8,
        batch_size=16,
        steps=5000,
    )
