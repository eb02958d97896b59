"""Runs of another length: what is said in words, and what goes along with the steps."""

from __future__ import annotations

import pytest

from seqdis.core.config import RunConfig, StageConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.training.budget import Budget, scaled_to, seconds_per_step


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("90s", Budget(seconds=90)),
        ("10m", Budget(seconds=600)),
        ("1.5h", Budget(seconds=5400)),
        ("2000", Budget(steps=2000)),
    ],
)
def test_a_budget_is_a_time_or_a_number_of_steps(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "1.5", "10 minutes", "s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="a time such as"):
        Budget.parse(text)


def staged(*stages: StageConfig) -> RunConfig:
    config = get_preset("toy")
    changes = {"stages": stages, "steps": None, "epochs": 7, "warmup_steps": None, "eval_every": 5}
    return config.model_copy(update={"train": config.train.model_copy(update=changes)})


def test_stages_keep_their_shares() -> None:
    config = staged(
        StageConfig(name="a", epochs=3), StageConfig(name="b", steps=10), StageConfig(name="c", epochs=5)
    )
    train = scaled_to(config, 45, steps_per_epoch=10).train  # of 30, 10 and 50 steps
    assert [stage.steps for stage in train.stages] == [15, 5, 25]
    assert (train.steps, train.epochs, train.eval_every, train.warmup_steps) == (45, None, 45, 4)
    assert sum(stage.steps for stage in scaled_to(config, 17, steps_per_epoch=10).train.stages) == 17
    with pytest.raises(InputError, match="a run of 3 stages needs at least as many"):
        scaled_to(config, 2, steps_per_epoch=10)


def test_all_but_the_length_stays() -> None:
    config = staged()
    short = scaled_to(config, 50, steps_per_epoch=10)
    assert short.model == config.model
    assert short.data == config.data
    assert short.train.lr == config.train.lr
    assert short.train.log_every <= 50


def test_a_step_has_a_cost() -> None:
    config = get_preset("toy")
    train_set = build_dataset(config.modality, config.data, "train")
    assert 0 < seconds_per_step(config, train_set, steps_per_epoch=4, device="cpu") < 10
