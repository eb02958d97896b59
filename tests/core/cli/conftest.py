"""A toy run and toy recordings, and a way to run a command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.config import RunConfig
from seqdis.core.pretrained import build_model

Run = Callable[..., Result]


@pytest.fixture
def seqdis() -> Run:
    """``seqdis("list", "--json")`` runs the command in this process."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def refused(seqdis: Run) -> Callable[..., str]:
    """Run a command that must fail on its input: exit code 2 and one line, which is returned."""

    def run(*words: object) -> str:
        result = seqdis(*words)
        assert result.exit_code == 2, result.output
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("error: ")
        assert result.stdout == ""
        return lines[0].removeprefix("error: ")

    return run


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three recordings of 6, 15 and 7 steps, one of them in a sub-folder."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for name, steps in {"a.npy": 6, "b.npy": 15, "deep/c.npy": 7}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        np.save(folder / name, rng.normal(size=(steps, 8)).astype(np.float32))
    return folder


@pytest.fixture(scope="session")
def prior_run(toy_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy run with a prior that was hardly trained."""
    folder = tmp_path_factory.mktemp("runs") / "drawn"
    shutil.copytree(toy_run, folder)
    words = ["prior", "fit", str(folder), "hidden=16", "layers=3", "epochs=2", "steps=5", "resamples=2"]
    result = CliRunner().invoke(app, [*words, "--device", "cpu"])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def coded_recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty recordings of pictures, of 6 to 8 steps."""
    folder = tmp_path_factory.mktemp("coded")
    rng = np.random.default_rng(0)
    for i in range(40):
        np.save(folder / f"{i:02d}.npy", rng.normal(size=(6 + i % 3, 3, 8, 8)).astype(np.float32))
    return folder


@pytest.fixture(scope="session")
def coded_run(
    coded_config: RunConfig, coded_recordings: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """An untrained model with codes, and a prior of them that was hardly trained."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "coded"
    model = build_model(coded_config)
    for parameter in model.dit.parameters():  # type: ignore[union-attr, operator]
        torch.nn.init.normal_(parameter, std=0.15)  # a DiT starts at zero, whatever the factors are
    model.save_pretrained(folder)
    words = ["prior", "fit", str(folder), "--kind", "autoregressive", "--data", str(coded_recordings)]
    result = CliRunner().invoke(
        app, [*words, "width=16", "depth=1", "heads=2", "epochs=2", "--device", "cpu"]
    )
    assert result.exit_code == 0, result.output
    return folder
