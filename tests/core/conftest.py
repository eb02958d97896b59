"""Makes the toy modality visible to the registry, here and in processes that tests start."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.core.analysis.encode_data import encode_data
from seqdis.core.config import DataConfig, RunConfig, change_config
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.bcd.config import BCDConfig, SequenceEncoderConfig
from seqdis.core.methods.bcd.dit_config import DiTConfig
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_modality, get_preset

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
def toy_codec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the weights of the toy's linear codec."""
    folder = tmp_path_factory.mktemp("codec")
    np.save(folder / "weights.npy", np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32))
    return folder


@pytest.fixture(scope="session")
def latent_config(toy_codec: Path) -> RunConfig:
    """A tiny DiffSDA behind the toy's linear codec, for a folder of npy files."""
    changes = {"codec.name": "linear", "codec.path": str(toy_codec), "data.length": 4}
    return change_config(get_preset("toy-folder"), changes)


@pytest.fixture(scope="session")
def toy_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen recordings of 2 to 9 steps in two folders, with labels."""
    folder, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(1)
    clips = {}
    for i in range(14):
        key = f"{'ab'[i % 2]}/{i:02d}.npy"
        (folder / key).parent.mkdir(exist_ok=True)
        np.save(folder / key, rng.normal(size=(2 + i % 8, 8)).astype(np.float32))
        clips[key] = {"who": "ab"[i % 2], "what": f"act {i % 3}"}
    labels = {"labels": {"who": "static", "what": "dynamic"}, "clips": clips}
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture(scope="session")
def toy_latents(latent_config: RunConfig, toy_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The latents of these recordings; not to be changed."""
    out = tmp_path_factory.mktemp("made") / "latents"
    encode_data(latent_config, toy_files, out, device="cpu", batch_size=3)
    return out


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
