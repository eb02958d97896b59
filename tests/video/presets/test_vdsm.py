"""VDSM's presets against the sentences of the paper, and every command on a small one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.config import RunConfig, StageConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.vdsm import VDSM, VDSMConfig
from seqdis.core.model_files import state_to_save
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset, get_modality
from seqdis.core.schedules import Ramp
from seqdis.core.training import train
from seqdis.video.datasets import pendulum
from seqdis.video.presets import PRESETS

PAPER = {
    "vdsm-mug": (16, 64),
    "vdsm-sprites": (8, 64),
    "vdsm-moving-mnist": (16, 64),
    "vdsm-pendulum": (16, 64),
}


@pytest.mark.parametrize("name", PAPER)
def test_what_the_paper_says(name: str) -> None:
    preset = PRESETS[name]()
    model, (first, second) = preset.model, preset.train.stages
    assert isinstance(model, VDSMConfig)
    assert (preset.data.length, preset.data.frame_shape[1]) == PAPER[name]
    assert (len(model.encoder_channels), model.likelihood) == (5, "bernoulli")
    ends = {n: (r.start, r.end) for n, r in first.ramps.items()}
    assert (ends["kl_static_weight"], ends["kl_pose_weight"]) == ((0.1, 1.0), (30.0, 1.0))
    assert ends["temperature"][0] > ends["temperature"][1]
    assert (second.ramps["kl_pose_weight"].start, second.ramps["kl_pose_weight"].end) == (0.1, 1.0)
    assert not model.evidence  # poses from d alone
    assert (first.frozen, second.frozen) == (("sequence",), ("encoder", "decoder", "frame_pose"))
    assert preset.train.weight_decay == 0


def test_the_ramps_of_the_authors_code() -> None:
    """Values by the share of each stage that has passed."""
    first, second = PRESETS["vdsm-sprites32-paper"]().train.stages

    def at(stage: StageConfig, name: str, share: float) -> float:
        r = stage.ramps[name]
        return Ramp(r.start, r.end, 601, r.kind, r.via)(round(600 * share))

    poses = [at(first, "kl_pose_weight", share) for share in (0, 0.25, 0.5, 0.8, 1)]
    assert poses == pytest.approx([30, 15.1, 0.2, 0.4, 1])
    assert [at(first, "kl_static_weight", share) for share in (0, 1 / 6, 1 / 3, 1)] == pytest.approx(
        [0.1, 0.55, 1, 1]
    )
    factors = [1 / at(first, "temperature", share) for share in (0, 0.25, 0.5, 1)]
    assert factors == pytest.approx([1, 5.5, 10, 10])
    assert [at(second, "kl_action_weight", share) for share in (0, 0.5, 1)] == pytest.approx([0.1, 0.55, 1])


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("vdsm-")])
def test_every_preset_builds_and_decodes(name: str) -> None:
    preset = PRESETS[name]()
    model = build_model(preset)
    assert isinstance(model, VDSM)
    frames = model.decode(
        model.learned_prior().sample(1, generator=torch.Generator().manual_seed(0), steps=2)
    )
    assert tuple(frames.shape[2:]) == preset.data.frame_shape
    assert preset.data.dataset in {*get_modality("video").datasets(), "folder"}


def shortened(**changes: Any) -> RunConfig:
    preset = PRESETS["vdsm-pendulum16"]()
    stages = [stage.model_copy(update={"epochs": None, "steps": 4}) for stage in preset.train.stages]
    values = {
        "stages": tuple(stages),
        "batch_size": 4,
        "warmup_steps": 2,
        "save_every": 1,
        "keep": 9,
        "log_every": 1,
    }
    return preset.model_copy(update={"train": preset.train.model_copy(update=values | changes)})


@pytest.fixture
def few_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    for split, count in {"train": 24, "val": 4, "test": 4}.items():
        monkeypatch.setitem(pendulum.COUNTS, split, count)


def run(config: RunConfig, out: Path, **options: Any) -> Disentangler:
    splits = {f"{s}_set": build_dataset("video", config.data, s) for s in ("train", "val")}
    return train(config, out, device="cpu", show_progress=False, **splits, **options)


@pytest.mark.parametrize("stop", [3, 7])
def test_resuming_inside_either_stage_is_exact(
    whole_and_resumed: Callable[..., list[bytes]], few_clips: None, stop: int
) -> None:
    whole, resumed = whole_and_resumed(run, shortened(), stop=stop)
    assert whole == resumed


def test_the_trainer_moves_the_weights(few_clips: None, tmp_path: Path) -> None:
    model = run(shortened(), tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    poses = [line["kl_pose_weight"] for line in lines if "kl_pose_weight" in line]
    # Of four steps the second is at a third of the stage, the third at two thirds, between 0.2 at half and 0.4 at 0.8.
    assert poses == pytest.approx([30, 30 - 29.8 * 2 / 3, 0.2 + 0.2 * 5 / 9, 1, 0.1, 0.4, 0.7, 1.0])
    heat = [line["temperature"] for line in lines if "temperature" in line]
    assert heat == pytest.approx([1, 1 / 7] + [0.1] * 6)
    assert state_to_save(model)["temperature"].item() == pytest.approx(0.1)
    actions = [line["kl_action"] for line in lines if "kl_action" in line]
    assert actions[:4] == [0] * 4
    assert min(actions[4:]) > 0


def test_a_value_that_no_method_moves_is_named(few_clips: None, tmp_path: Path) -> None:
    ramps = {"kl_weight": {"start": 1.0, "end": 2.0}}
    stage = StageConfig(name="sequences", steps=2, ramps=ramps)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="unknown moving value of vdsm 'kl_weight'"):
        run(shortened(stages=(stage,)), tmp_path / "run")


def test_every_command(few_clips: None, tmp_path: Path) -> None:
    out, clips = tmp_path / "run", tmp_path / "clips"
    config = shortened(save_every=8)
    run(config, out)
    batch = build_dataset("video", config.data, "test").fetch([0, 1])
    for name, frames in zip("ab", batch.x, strict=True):
        get_modality("video").write(clips / f"{name}.gif", frames, config.data)

    def seqdis(*words: object) -> Any:
        said = CliRunner().invoke(app, [*map(str, words), "--device", "cpu", "--json"])
        assert said.exit_code == 0, said.output
        return json.loads(said.stdout)

    seqdis("encode", out, clips, "--out", tmp_path / "f.safetensors")
    factors = Factors.load(tmp_path / "f.safetensors")
    assert factors.extras["action"].side == "dynamic"
    seqdis("reconstruct", out, clips / "a.gif", "--out", tmp_path / "r")
    lends = ["--static", clips / "a.gif", "--dynamic", clips / "b.gif"]
    seqdis("swap", out, *lends, "--out", tmp_path / "swap")
    assert seqdis("swap", out, *lends, "--extra", "action", "--out", tmp_path / "action")["extra"] == "action"
    seqdis("swap", out, "--static", clips / "a.gif", "-n", 2, "--out", tmp_path / "drawn")
    assert seqdis("sample", out, "-n", 2, "--frames", 40, "--out", tmp_path / "sample")["frames"] == 40
    seqdis("traverse", out, clips / "a.gif", "--out", tmp_path / "t")
    small = ["hidden=16", "layers=3", "epochs=1", "steps=4"]
    seqdis("prior", "fit", out, *small)
    seqdis("sample", out, "-n", 1, "--out", tmp_path / "fitted")
    seqdis("swap", out, "--static", clips / "a.gif", "-n", 2, "--out", tmp_path / "drawn")
    both = tmp_path / "swap" / "swap.png", tmp_path / "action" / "swap.png"
    assert both[0].read_bytes() != both[1].read_bytes()
