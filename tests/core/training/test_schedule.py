from __future__ import annotations

import math

import pytest

from seqdis.core.config import TrainConfig
from seqdis.core.errors import InputError
from seqdis.core.training.schedule import Schedule, total_steps


def test_warms_up_linearly_to_the_full_rate_and_never_starts_at_zero() -> None:
    schedule = Schedule(total=100, warmup=4)
    assert [schedule(k) for k in range(5)] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])


def test_cosine_is_half_in_the_middle_and_falls_to_zero_at_the_end() -> None:
    schedule = Schedule(total=110, warmup=10)
    assert schedule(60) == pytest.approx(0.5)
    assert schedule(35) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert schedule(110) == pytest.approx(0.0)
    falling = [schedule(k) for k in range(10, 111)]
    assert falling == sorted(falling, reverse=True)


def test_constant_stays_after_the_warm_up() -> None:
    assert {Schedule(total=50, warmup=5, kind="constant")(k) for k in range(5, 50)} == {1.0}


def test_warm_up_is_one_epoch_unless_given_and_at_most_half_the_run() -> None:
    assert Schedule.from_config(TrainConfig(epochs=10), 7) == Schedule(total=70, warmup=7)
    assert Schedule.from_config(TrainConfig(steps=10), 100).warmup == 5
    assert Schedule.from_config(TrainConfig(steps=10, warmup_steps=0), 100)(0) == 1.0


def test_steps_win_over_epochs() -> None:
    assert total_steps(TrainConfig(steps=3, epochs=10), 7) == 3
    assert total_steps(TrainConfig(epochs=10), 7) == 70


def test_neither_steps_nor_epochs_is_an_error() -> None:
    with pytest.raises(InputError, match=r"^train: steps and epochs are both None; give one of them$"):
        total_steps(TrainConfig(), 7)
