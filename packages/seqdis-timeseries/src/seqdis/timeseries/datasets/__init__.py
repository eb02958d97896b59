"""The named datasets of time series, one file each."""

from __future__ import annotations

from types import MappingProxyType

from seqdis.timeseries.datasets.air_quality import AIR_QUALITY
from seqdis.timeseries.datasets.ett import ETT
from seqdis.timeseries.datasets.physionet2012 import PHYSIONET2012
from seqdis.timeseries.datasets.waves import WAVES

__all__ = ["DATASETS"]

DATASETS = MappingProxyType({spec.name: spec for spec in (WAVES, ETT, AIR_QUALITY, PHYSIONET2012)})
"""All of them, by name."""
