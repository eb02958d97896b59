"""Makes the toy modality visible to the registry, here and in processes that tests start."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import torch

from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.bcd.config import BCDConfig, SequenceEncoderConfig
from seqdis.core.methods.bcd.dit_config import DiTConfig
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_modality

TOY = str(Path(__file__).parent / "toy")
if TOY not in sys.path:
    sys.path.insert(0, TOY)


@pytest.fixture(autouse=True)
def _toy_modality(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([TOY, *filter(None, [os.environ.get("PYTHONPATH")])]))


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an untrained toy model."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "toy"
    build_model(get_modality("toy").presets()["toy"]()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def coded_config() -> RunConfig:
    """A tiny BCD of the toy modality, whose factors carry codes: frames 3 x 8 x 8, 6 steps, 2 groups of 4."""
    return RunConfig(
        preset="toy-coded",
        modality="toy",
        method="bcd",
        data=DataConfig(dataset="folder", length=6, frame_shape=(3, 8, 8)),
        model=BCDConfig(
            encoder=SequenceEncoderConfig(width=16, feedforward=16, depth=1, heads=2, queries=2),
            decoder=DiTConfig(patch=4, width=16, depth=1, heads=2, temporal=(0,)),
            groups=2,
            codes=4,
            code_dim=4,
            target_bits=2.0,
            sampler=EDMConfig(steps=3, guidance=1.5),
        ),
    )
