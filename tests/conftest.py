"""Shared by all packages' tests: where the real datasets are, and a quiet, fixed torch."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import torch

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.disentangler import Disentangler


# A shell that starts tests in the background has Ctrl-C ignored, in them and in all that they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def held_elsewhere() -> Iterator[Callable[[Path], int]]:
    """``held_elsewhere(folder)``: another process has the lock of a folder until the test ends; its number."""
    children: list[int] = []

    def hold(folder: Path) -> int:
        from seqdis.core.folder_lock import only_writer

        ready, tell = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                with only_writer(folder):
                    os.write(tell, b".")
                    signal.pause()
            finally:
                os._exit(1)
        children.append(child)
        os.close(tell)
        said = os.read(ready, 1)
        os.close(ready)
        assert said == b".", "the other process has not got the lock"
        return child

    yield hold
    for child in children:
        with contextlib.suppress(ProcessLookupError):  # the test may have ended it
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


@pytest.fixture
def few_updates() -> Callable[..., list[float]]:
    """``few_updates(model, dataset, steps=40, lr=1e-3)``: the losses of so many steps of Adam, 16 clips each."""
    from seqdis.core.random import GeneratorStack

    def learn(model: Disentangler, dataset: SequenceDataset, *, steps: int, lr: float) -> list[float]:
        optimizer = torch.optim.Adam(model.train().parameters(), lr)
        losses = []
        for step in range(steps):
            batch = dataset.fetch([(16 * step + i) % len(dataset) for i in range(16)])
            out = model.loss(batch, generator=GeneratorStack.shard(step, 16, slice(0, 16)))
            optimizer.zero_grad()
            out.loss.backward()
            optimizer.step()
            losses.append(float(out.loss.detach()))
        model.eval()
        return losses

    return learn


@pytest.fixture
def whole_and_resumed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[bytes]]:
    """``whole_and_resumed(run, config, stop=5)``: the weights' file of a training in one go, and of one that
    was stopped before step 5 and resumed, where ``run(config, folder, resume=…)`` trains.
    """
    from seqdis.core.errors import InputError
    from seqdis.core.training.trainer import Trainer

    def both(run: Callable[..., Any], config: RunConfig, *, stop: int) -> list[bytes]:
        run(config, tmp_path / "whole")
        step = Trainer.step

        def halt(self: Trainer, number: int, batches: Any) -> Any:
            if number == stop:
                raise InputError("stopped")
            return step(self, number, batches)

        monkeypatch.setattr(Trainer, "step", halt)
        with pytest.raises(InputError, match="stopped"):
            run(config, tmp_path / "resumed")
        monkeypatch.setattr(Trainer, "step", step)
        run(config, tmp_path / "resumed", resume=True)
        return [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "resumed")]

    return both


@pytest.fixture
def diffsda_table_column() -> Callable[[RunConfig], dict[str, object]]:
    """A DiffSDA preset as a column of the paper's table of hyper-parameters (Tab. 7)."""
    from seqdis.core.methods.diffsda.config import DiffSDAConfig

    def column(preset: RunConfig) -> dict[str, object]:
        model = preset.model
        assert isinstance(model, DiffSDAConfig)
        return {
            "P_mean": model.p_mean,
            "P_std": model.p_std,
            "NFE": 2 * model.sampler.steps - 1,
            "lr": preset.train.lr,
            "bsz": preset.train.batch_size,
            "#Epoch": preset.train.epochs,
            "s dim": model.static_dim,
            "d dim": model.dynamic_dim,
            "hidden dim": model.hidden_dim,
            "Base channels": model.denoiser.channels,
            "Channel multipliers": model.denoiser.multipliers,
            "Attention placement": model.denoiser.attention,
            "Encoder base ch": model.encoder.channels,
            "Encoder ch. mult.": model.encoder.multipliers,
            "Enc. attn. placement": model.encoder.attention,
            "Input size": preset.data.frame_shape,
            "Seq len": preset.data.length,
            "weight decay": preset.train.weight_decay,
            "Backbone": model.denoiser.kind,
        }

    return column
