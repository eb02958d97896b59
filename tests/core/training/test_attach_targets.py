"""Targets reach a method that asks for them, whatever it is called."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.data.targets import Target
from seqdis.core.errors import InputError
from seqdis.core.methods.s3vae.config import PredictionConfig, S3VAEConfig
from seqdis.core.methods.s3vae.hooks import S3VAEHooks
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.registry import build_dataset, get_modality
from seqdis.core.training import train
from seqdis.core.training.attach_targets import with_targets


def _config(target: str = "height", **changes: Any) -> RunConfig:
    mlp = BackboneConfig(kind="mlp", channels=16, multipliers=(1,))
    values: dict[str, Any] = {
        "static_dim": 4, "dynamic_dim": 2, "features": 8, "hidden_dim": 8, "encoder": mlp, "decoder": mlp,
        "output": "linear", "prediction": PredictionConfig(target=target, width=1, loss="squared"),
    }  # fmt: skip
    return RunConfig(
        preset="tiny",
        modality="toy",
        method="s3vae",
        data=DataConfig(dataset="ramps", length=6, frame_shape=(8,)),
        model=S3VAEConfig(**(values | changes)),
        train=TrainConfig(steps=3, batch_size=8, log_every=1, eval_every=3, save_every=3),
    )


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The toy modality offers ``height``; the keys of the recordings that it was computed for."""
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    keys: list[str] = []

    def height(clip: Any, data: DataConfig) -> torch.Tensor:
        keys.append(clip.key)
        return clip.frames[:, 4:5]

    def targets(self: Any) -> Mapping[str, Target]:
        return {"height": Target("of the ramp", height)}

    monkeypatch.setattr(type(get_modality("toy")), "targets", targets)
    return keys


def _train(config: RunConfig, out: Path) -> None:
    sets = {f"{split}_set": build_dataset("toy", config.data, split) for split in ("train", "val")}
    train(config, out, **sets, device="cpu", show_progress=False)  # type: ignore[arg-type]


def test_a_run_computes_what_its_method_reads_once(offered: list[str], tmp_path: Path) -> None:
    _train(_config(), tmp_path / "a")
    assert len(offered) == 96 + 24
    assert "prediction" in (tmp_path / "a" / "log.jsonl").read_text()
    _train(_config(), tmp_path / "b")
    assert len(offered) == 96 + 24


def test_the_method_is_shown_what_it_learns_from(
    offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(S3VAEHooks, "on_fit_start", lambda self, train_set: sizes.append(len(train_set)))
    _train(_config(prediction_weight=0), tmp_path / "a")
    assert sizes == [96]


def test_other_processes_wait_for_the_first_and_read_what_it_wrote(offered: list[str]) -> None:
    """Two processes in one: the second enters where accelerate lets it, after the first has left."""
    config = _config()
    dataset = build_dataset("toy", config.data, "val")

    class Process:
        def __init__(self, first: bool) -> None:
            self.is_main_process, self.inside = first, False

        @contextlib.contextmanager
        def main_process_first(self) -> Iterator[None]:
            self.inside = True
            yield
            self.inside = False

    first, second = Process(True), Process(False)
    tables = []
    for process in (first, second):
        found = with_targets(config, dataset, accelerator=process, show_progress=False)  # type: ignore[arg-type]
        assert not process.inside
        tables.append(found.fetch(range(24)).targets["height"])
    assert len(offered) == 24
    assert torch.equal(*tables)


def test_a_method_that_reads_none_has_none_computed(offered: list[str], tmp_path: Path) -> None:
    _train(_config(prediction_weight=0), tmp_path / "a")
    assert offered == []


def test_a_target_that_the_modality_lacks_leaves_no_run_behind(offered: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown toy target 'hight'.*height"):
        _train(_config("hight"), tmp_path / "a")
    assert not (tmp_path / "a" / "config.json").exists()
