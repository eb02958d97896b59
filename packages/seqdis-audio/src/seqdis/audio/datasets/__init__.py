"""The named audio datasets, one a file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from seqdis.audio.datasets import arabic, librispeech, timit, tones
from seqdis.core.modality import DatasetSpec

__all__ = ["DATASETS"]

DATASETS: Mapping[str, DatasetSpec] = MappingProxyType(
    {spec.name: spec for spec in (tones.SPEC, arabic.SPEC, librispeech.SPEC, timit.SPEC)}
)
