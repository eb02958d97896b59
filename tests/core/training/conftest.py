"""The plain method, visible to the registry here and in processes that tests start; small runs of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.registry import build_dataset
from seqdis.core.training import train

PLAIN = str(Path(__file__).parent / "plain")
if PLAIN not in sys.path:
    sys.path.insert(0, PLAIN)


@pytest.fixture(autouse=True)
def _plain_method(_toy_modality: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([PLAIN, os.environ["PYTHONPATH"]]))


@pytest.fixture
def plain_config() -> Callable[..., RunConfig]:
    """``plain_config(steps=9, dropout=0.1)``: a run of the plain method on the toy's ramps."""

    def build(*, dropout: float = 0.0, **changes: Any) -> RunConfig:
        from seqdis_plain import PlainConfig

        values: dict[str, Any] = {
            "steps": 20,
            "batch_size": 8,
            "lr": 1e-2,
            "warmup_steps": 2,
            "log_every": 3,
            "eval_every": 10,
            "save_every": 5,
            "ema_decay": 0.9,
        }
        return RunConfig(
            preset="plain",
            modality="toy",
            method="plain",
            data=DataConfig(dataset="ramps", length=6, frame_shape=(8,)),
            model=PlainConfig(dropout=dropout),
            train=TrainConfig(**(values | changes)),
        )

    return build


@pytest.fixture
def splits() -> Callable[[RunConfig], dict[str, SequenceDataset]]:
    def build(config: RunConfig) -> dict[str, SequenceDataset]:
        return {
            f"{split}_set": build_dataset(config.modality, config.data, split) for split in ("train", "val")
        }

    return build


@pytest.fixture
def run(splits: Callable[[RunConfig], dict[str, SequenceDataset]]) -> Callable[..., Disentangler]:
    """``run(config, out, resume=True)`` trains on the CPU without a progress bar."""

    def start(config: RunConfig, out: Path, **options: Any) -> Disentangler:
        return train(config, out, **(splits(config) | {"device": "cpu", "show_progress": False} | options))

    return start
