"""A run's data section for tests, and clips that every format can hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqdis.core.config import DataConfig


@pytest.fixture
def data_config() -> Callable[..., DataConfig]:
    def make(size: int = 16, length: int = 6, dataset: str = "folder", **options: object) -> DataConfig:
        return DataConfig(dataset=dataset, length=length, frame_shape=(3, size, size), options=options)

    return make


@pytest.fixture
def clip() -> Tensor:
    """Twelve smooth 16×16 frames: a grey ramp whose brightness rises, so that compression hardly hurts."""
    ramp = torch.linspace(0.1, 1, 16).expand(16, 16)
    return torch.linspace(0.4, 1, 12)[:, None, None, None] * ramp.expand(12, 3, 16, 16)
