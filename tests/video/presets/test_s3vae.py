"""S3VAE's presets against its App. D, and the small one by every command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.methods.s3vae import S3VAE
from seqdis.core.methods.s3vae.config import S3VAEConfig
from seqdis.core.model_files import state_to_save
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import build_dataset
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of
from seqdis.video import VideoModality
from seqdis.video.presets import PRESETS

# App. D and Sec. 5.1.1: (d_zf, d_zt), frame, length, the target.
PAPER = {
    "smmnist": ((256, 32), (1, 64, 64), 15, "flow_cells"),
    "sprites": ((256, 32), (3, 64, 64), 8, "flow_cells"),
    "mug": ((8, 128), (3, 64, 64), 15, "landmark_distances"),
}


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_three(name: str) -> None:
    preset, m, t = (
        PRESETS[f"s3vae-{name}"](),
        PRESETS[f"s3vae-{name}"]().model,
        PRESETS[f"s3vae-{name}"]().train,
    )
    assert isinstance(m, S3VAEConfig)
    assert m.prediction is not None
    data = preset.data
    sizes = (m.static_dim, m.dynamic_dim)
    assert (sizes, data.frame_shape, data.length, m.prediction.target) == PAPER[name]
    assert (m.features, m.hidden_dim, m.output, m.layer_norm) == (128, 256, "sigmoid", False)
    assert (m.consistency_weight, m.prediction_weight, m.information_weight, m.margin) == (1000, 100, 1, 1)
    widths = [tuple(b.channels * k for k in b.multipliers) for b in (m.encoder, m.decoder)]
    assert widths == [(64, 128, 256, 512), (512, 256, 128, 128, 64)]
    assert (t.epochs, t.batch_size, t.lr, t.betas, t.weight_decay) == (1000, 16, 1e-3, (0.9, 0.999), 0)
    assert (t.schedule, t.warmup_steps, t.grad_clip, t.ema_decay, t.steps) == ("constant", 0, None, 0, None)


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("s3vae-")])
def test_what_is_predicted_is_offered_and_fits(name: str) -> None:
    config = PRESETS[name]()
    with torch.device("meta"):
        model = build_model(config)
    assert isinstance(model, S3VAE)
    video = VideoModality()
    assert set(S3VAE.required_targets(config.model)) <= set(video.targets())
    assert isinstance(config.model, S3VAEConfig)
    assert config.model.prediction is not None
    options = video.options(config.data)
    wanted = {"flow_cells": options.flow_grid**2, "landmark_distances": 3}
    assert config.model.prediction.width == wanted[config.model.prediction.target]


def test_the_small_preset_learns_on_a_cpu() -> None:
    config = apply_overrides(PRESETS["s3vae-shapes"](), ["prediction_weight=0"])
    torch.manual_seed(0)
    model, data = build_model(config), build_dataset("video", config.data, "train")
    model.normalizer.fit(data)
    hooks_of(model).on_fit_start(data)
    optimizer = torch.optim.Adam(model.train().parameters(), config.train.lr)
    losses = []
    for step in range(40):
        batch = data.fetch(range(16 * step, 16 * step + 16))
        optimizer.zero_grad()
        out = model.loss(Sequences(batch.x), generator=GeneratorStack.shard(step, 16, slice(0, 16)))
        out.loss.backward()
        optimizer.step()
        losses.append(float(out.terms["reconstruction"] + out.terms["kl_static"] + out.terms["kl_dynamic"]))
    assert sum(losses[-5:]) < sum(losses[:5]) - 5 * 2000


def _seqdis(*words: object) -> str:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    config = PRESETS["s3vae-shapes"]()
    for key, x in enumerate(build_dataset("video", config.data, "val").fetch(range(12)).x):
        VideoModality().write(folder / f"clip{key:02d}.gif", x, config.data)
    return folder


def test_every_command(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("seqdis.core.analysis.prior_components.DRAWS", 64)
    run, cpu = tmp_path / "run", ("--device", "cpu")
    training = (
        "train",
        "s3vae-shapes",
        "data.dataset=folder",
        "train.steps=4",
        "batch_size=4",
        "eval_every=2",
        "log_every=1",
    )
    _seqdis(*training, "save_every=2", "--data", clips, "--out", run, *cpu, "--json")
    terms = json.loads((run / "log.jsonl").read_text().splitlines()[0])
    assert {"consistency", "prediction", "information", "kl_static", "kl_dynamic"} <= set(terms)
    assert len(list((tmp_path / "cache" / "targets").iterdir())) == 2  # of training and validation
    _seqdis(*training, "save_every=2", "--data", clips, "--out", run, *cpu, "--json", "--resume")

    first, second = clips / "clip00.gif", clips / "clip01.gif"
    _seqdis("encode", run, clips, "--out", tmp_path / "f.safetensors", *cpu)
    _seqdis("reconstruct", run, first, "--out", tmp_path / "r", *cpu)
    _seqdis("swap", run, "--static", first, "--dynamic", second, "--out", tmp_path / "swap.gif", *cpu)
    # From its own prior, nothing fitted: of any length.
    _seqdis("sample", run, "-n", 2, "--frames", 9, *cpu)
    said = json.loads((run / "sample" / "sample.json").read_text())
    assert said["frames"] == 9
    _seqdis("swap", run, "--static", first, "-n", 2, "--out", tmp_path / "others", *cpu)
    _seqdis("traverse", run, first, "--factor", "static", "--points", 3, *cpu)
    assert not (run / "prior").exists()
    # And from one that is fitted.
    small = ("hidden=8", "layers=2", "epochs=1", "steps=2", "resamples=1")
    _seqdis("prior", "fit", run, *small, "--data", clips, *cpu)
    _seqdis("sample", run, "-n", 2, "--out", tmp_path / "fitted", *cpu)


def test_killed_and_resumed_it_ends_the_same(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    from seqdis.core.training import trainer

    words = ("train", "s3vae-shapes", "data.dataset=folder", "train.steps=4", "batch_size=4", "save_every=2",
             "--data", clips, "--device", "cpu", "--json")  # fmt: skip
    _seqdis(*words, "--out", tmp_path / "whole")
    save: Callable[..., None] = trainer.Trainer._save

    def stop(self: trainer.Trainer, step: int) -> None:
        save(self, step)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "_save", stop)
        CliRunner().invoke(app, [*map(str, words), "--out", str(tmp_path / "cut")])
    assert not (tmp_path / "cut" / "model.safetensors").exists()
    _seqdis(*words, "--out", tmp_path / "cut", "--resume")
    one, other = (state_to_save(Disentangler.from_pretrained(tmp_path / name)) for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)
