"""Comparisons: who takes part, for how long, and what is put into the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.eval.named import named

from seqdis.core.config import CodecConfig, Config, DataConfig, RunConfig, StageConfig, TrainConfig
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.core.training.budget import Budget
from seqdis.eval.protocols import comparison
from seqdis.eval.protocols.comparison import (
    Contestant,
    check_same_clips,
    comparable_presets,
    comparison_grid,
    comparison_metrics,
    plan_training,
)


def preset(method: str, frame: int, *, dataset: str = "world", **changes: Any) -> RunConfig:
    return RunConfig(
        preset=f"{method}-{frame}",
        modality="none",
        method=method,
        data=DataConfig(dataset=dataset, length=5, frame_shape=(frame,)),
        model=Config(),
        train=TrainConfig(steps=100, batch_size=10),
        **changes,
    )


def presets(*configs: RunConfig) -> dict[str, RunConfig]:
    return {config.preset: config for config in configs}


ALL = presets(
    *(preset("a", 4), preset("b", 4), preset("a", 8), preset("c", 8), preset("b", 8)),
    *(preset("d", 4, dataset="other"), preset("e", 8, codec=CodecConfig(name="vq"))),
)


def test_the_shape_with_the_most_methods_is_compared() -> None:
    assert [c.preset for c in comparable_presets(ALL, "world").values()] == ["a-8", "b-8", "c-8"]
    fewer = {name: config for name, config in ALL.items() if config.method != "c"}
    assert [c.preset for c in comparable_presets(fewer, "world").values()] == ["a-4", "b-4"]  # the smaller


def test_wanted_methods_decide_and_must_be_there() -> None:
    assert [c.preset for c in comparable_presets(ALL, "world", ["c"]).values()] == ["c-8"]
    with pytest.raises(InputError, match="'d'"):
        comparable_presets(ALL, "world", ["d"])
    with pytest.raises(InputError, match="nowhere"):
        comparable_presets(ALL, "nowhere")


@pytest.mark.parametrize(
    ("own", "alone"),
    [
        ({"options": {"fps": 25.0}}, False),
        ({"identities": ("level",)}, False),
        ({"normalize": "channel"}, False),
        ({"pick": "spread"}, True),
        ({"length": 6}, True),
    ],
)
def test_only_what_makes_other_clips_parts_presets(own: dict[str, Any], alone: bool) -> None:
    other = preset("b", 8)
    other = other.model_copy(update={"data": other.data.model_copy(update=own)})
    assert list(comparable_presets(presets(preset("a", 8), other), "world")) == (
        ["a"] if alone else ["a", "b"]
    )


def test_options_that_give_other_clips_are_refused(world: Any) -> None:
    clips = world(12, 0)
    check_same_clips("b-8", clips, world(12, 0))
    for other in (world(12, 1), world(11, 0)):
        with pytest.raises(InputError, match=r"b-8: its data\.options give other test clips"):
            check_same_clips("b-8", clips, other)


def test_a_time_becomes_steps_once(world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = iter([0.5, 2.0])
    monkeypatch.setattr(comparison, "seconds_per_step", lambda *_, **__: next(costs))
    found, told = comparable_presets(ALL, "world", ["a", "b"]), []
    for _ in range(2):  # the second time from what was kept
        configs = plan_training(found, Budget(seconds=60), tmp_path, world(30, 0), report=told.append)
        assert {method: config.train.steps for method, config in configs.items()} == {"a": 120, "b": 30}
    assert len(told) == 2
    with pytest.raises(InputError, match="another folder"):
        plan_training(found, Budget(steps=60), tmp_path, world(30, 0))
    (tmp_path / "plan.json").write_text(json.dumps({"budget": 3}))
    with pytest.raises(InputError, match="cannot be read as a plan"):
        plan_training(found, Budget(seconds=60), tmp_path, world(30, 0))


def test_stages_are_cut_along(world: Any, tmp_path: Path) -> None:
    config = preset("a", 4)
    stages = (StageConfig(name="x", epochs=1), StageConfig(name="y", epochs=3))
    config = config.model_copy(update={"train": config.train.model_copy(update={"stages": stages})})
    train = plan_training({"a": config}, Budget(steps=40), tmp_path, world(30, 0))["a"].train
    assert [stage.steps for stage in train.stages] == [10, 30]


def test_the_table_has_a_row_a_method_and_what_most_of_them_have(world: Any, channels: Any) -> None:
    both = named({"accuracy": Estimate(value=0.5), "judge_accuracy": Estimate(value=1.0)})
    one = both | named({"own": Estimate(value=0.1)})
    entries = {
        "a": Contestant(channels().eval(), both, 10, 1.26),
        "b": Contestant(channels("reversed").eval(), one, 20, 2),
    }
    table = comparison_metrics(entries)
    assert list(table) == [
        *("accuracy@a", "train_steps@a", "train_seconds@a"),
        *("accuracy@b", "train_steps@b", "train_seconds@b"),
    ]
    assert (table["train_steps@b"].value, table["train_seconds@a"].value) == (20, 1.3)
    grid = comparison_grid(entries, world(20, 0), count=3)
    assert [[panel.title for panel in row] for row in grid] == [["static of", "dynamics of", "a", "b"]] * 3
    static, dynamic, right, _ = (panel.frames for panel in grid[0])
    assert right[:, :2].equal(static[:, :2])
    assert right[:, 2:].equal(dynamic[:, 2:])
