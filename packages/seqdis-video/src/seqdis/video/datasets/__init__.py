"""The named video datasets."""

from __future__ import annotations

from collections.abc import Mapping

from seqdis.core.modality import DatasetSpec
from seqdis.video.datasets.pendulum import PENDULUM
from seqdis.video.datasets.shapes import SHAPES
from seqdis.video.datasets.smmnist import SMMNIST
from seqdis.video.datasets.sprites import SPRITES

__all__ = ["DATASETS"]

DATASETS: Mapping[str, DatasetSpec] = {spec.name: spec for spec in (PENDULUM, SHAPES, SMMNIST, SPRITES)}
