"""Early stopping, with validation losses that are written down: 3, 2, then never better."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.training import trainer
from seqdis.core.training.checkpoint import checkpoint_of_step, list_checkpoints, read_state

LOSSES = (3.0, 2.0, 2.5, 2.1, 1.0)
CHANGES = {"steps": 20, "eval_every": 2, "save_every": 3, "patience": 2, "dropout": 0.1}

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> Callable[[Iterator[float]], None]:
    def script(values: Iterator[float]) -> None:
        monkeypatch.setattr(trainer, "validation_loss", lambda *_, **__: {"loss": next(values)})

    return script


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_a_run_stops_and_leaves_its_best_weights(
    tmp_path: Path, plain_config: Configure, run: Run, losses: Callable[..., None]
) -> None:
    losses(iter(LOSSES))
    run(plain_config(**CHANGES), tmp_path)
    checkpoints = tmp_path / "checkpoints"
    state = read_state(list_checkpoints(checkpoints)[-1])
    assert (state.step, state.best_step, state.evaluations_since_best) == (8, 4, 2)
    assert weights(tmp_path) == weights(checkpoint_of_step(checkpoints, 4))
    assert weights(tmp_path) != weights(checkpoint_of_step(checkpoints, 8))


def test_a_loss_that_keeps_falling_stops_nothing(
    tmp_path: Path, plain_config: Configure, run: Run, losses: Callable[..., None]
) -> None:
    losses(iter((5.0, 4.0, 4.5, 3.0, 3.5, 2.0, 2.5, 1.0, 1.5, 0.5)))
    run(plain_config(**CHANGES), tmp_path)
    assert read_state(list_checkpoints(tmp_path / "checkpoints")[-1]).step == 20


def test_without_patience_all_steps_are_taken_and_the_last_weights_stay(
    tmp_path: Path, plain_config: Configure, run: Run, losses: Callable[..., None]
) -> None:
    losses(iter((1.0, *[2.0] * 9)))
    run(plain_config(**(CHANGES | {"patience": None})), tmp_path)
    assert weights(tmp_path) == weights(checkpoint_of_step(tmp_path / "checkpoints", 20))


def test_a_run_that_was_killed_keeps_the_count(
    tmp_path: Path, plain_config: Configure, run: Run, losses: Callable[..., None]
) -> None:
    def killed() -> Iterator[float]:
        yield from LOSSES[:3]
        raise KeyboardInterrupt

    losses(iter(LOSSES))
    run(plain_config(**CHANGES), tmp_path / "whole")
    losses(killed())
    with pytest.raises(KeyboardInterrupt):
        run(plain_config(**CHANGES), tmp_path / "killed")
    losses(iter(LOSSES[3:]))
    run(plain_config(**CHANGES), tmp_path / "killed", resume=True)
    assert weights(tmp_path / "killed") == weights(tmp_path / "whole")
    state = read_state(list_checkpoints(tmp_path / "killed" / "checkpoints")[-1])
    assert (state.step, state.evaluations_since_best) == (8, 2)


def test_a_run_that_was_killed_after_it_stopped_takes_no_further_step(
    tmp_path: Path, plain_config: Configure, run: Run, losses: Callable[..., None]
) -> None:
    losses(iter(LOSSES[:4]))
    run(plain_config(**CHANGES), tmp_path)
    before = weights(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    run(plain_config(**CHANGES), tmp_path, resume=True)  # a fifth loss is not asked for
    assert weights(tmp_path) == before


def test_patience_needs_validation_data(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    with pytest.raises(InputError, match="there are no validation data to stop by"):
        run(plain_config(**CHANGES), tmp_path, val_set=None)
