"""The presets for time series, a file a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seqdis.core.config import RunConfig
from seqdis.timeseries.presets import diffsda, dsvae, s3vae

__all__ = ["PRESETS"]

PRESETS: Mapping[str, Callable[[], RunConfig]] = MappingProxyType(
    {
        "diffsda-physionet": diffsda.diffsda_physionet,
        "diffsda-airq": diffsda.diffsda_airq,
        "diffsda-etth1": diffsda.diffsda_etth1,
        "diffsda-waves": diffsda.diffsda_waves,
        "diffsda-series": diffsda.diffsda_series,
        "dsvae-waves": dsvae.dsvae_waves,
        "dsvae-series": dsvae.dsvae_series,
        "s3vae-physionet": s3vae.s3vae_physionet,
        "s3vae-airq": s3vae.s3vae_airq,
        "s3vae-etth1": s3vae.s3vae_etth1,
    }
)
"""What builds each preset, by the preset's name."""
