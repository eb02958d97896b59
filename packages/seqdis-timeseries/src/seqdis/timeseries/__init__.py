"""Time series for seqdis: datasets, presets, csv, parquet and npy."""

from seqdis.timeseries.io import read_series, write_series
from seqdis.timeseries.modality import TimeSeriesModality
from seqdis.timeseries.options import SeriesOptions

__all__ = ["SeriesOptions", "TimeSeriesModality", "read_series", "write_series"]
