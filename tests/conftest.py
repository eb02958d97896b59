"""Shared by all packages' tests: where the real datasets are, and a quiet, fixed torch."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that a test computes is kept with what the user has computed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQDIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def dataset_folder() -> Callable[[str], Path]:
    """``dataset_folder("ett")`` is the folder below SEQDIS_DATA, or the test is skipped with the reason."""

    def find(name: str) -> Path:
        base = os.environ.get("SEQDIS_DATA")
        if not base or not (Path(base) / name).is_dir():
            pytest.skip(f"dataset {name!r} is absent: SEQDIS_DATA must name a folder that holds it")
        return Path(base) / name

    return find


@pytest.fixture(scope="session")
def scripts() -> ModuleType:
    """Modules that stand in for feature networks, from a file: TorchScript reads their source."""
    spec = importlib.util.spec_from_file_location(
        "seqdis_test_scripts", Path(__file__).with_name("scripts.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
