"""Shared by all packages' tests: where the real datasets are, and a quiet, fixed torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def dataset_folder() -> Callable[[str], Path]:
    """``dataset_folder("ett")`` is the folder below SEQDIS_DATA, or the test is skipped with the reason."""

    def find(name: str) -> Path:
        base = os.environ.get("SEQDIS_DATA")
        if not base or not (Path(base) / name).is_dir():
            pytest.skip(f"dataset {name!r} is absent: SEQDIS_DATA must name a folder that holds it")
        return Path(base) / name

    return find
