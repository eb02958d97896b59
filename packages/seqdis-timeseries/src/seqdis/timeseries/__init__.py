"""Time series for seqdis: datasets, presets, csv, parquet and npy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.timeseries.disentangling_transformer import DisentanglingTransformer
    from seqdis.timeseries.io import read_series, write_series
    from seqdis.timeseries.modality import TimeSeriesModality
    from seqdis.timeseries.options import SeriesOptions

__all__ = ["DisentanglingTransformer", "SeriesOptions", "TimeSeriesModality", "read_series", "write_series"]

_HOMES = {
    "disentangling_transformer": ["DisentanglingTransformer"],
    "io": ["read_series", "write_series"],
    "modality": ["TimeSeriesModality"],
    "options": ["SeriesOptions"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
