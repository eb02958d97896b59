"""A run that was killed and resumed ends bit for bit like one that never stopped."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import pytest

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.training.checkpoint import list_checkpoints

STEPS = {"steps": 23, "log_every": 4, "save_every": 5, "eval_every": 8, "keep": 2}
KILLS = 4


class Starter(Protocol):
    def __call__(
        self, config: RunConfig, out: Path, trouble: str = ""
    ) -> tuple[multiprocessing.process.BaseProcess, Connection]: ...


@pytest.fixture
def start_child() -> Iterator[Starter]:
    """Start ``train_child`` in a real process; a server that has imported torch makes that quick."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training_child", "torch._dynamo"])
    children: list[multiprocessing.process.BaseProcess] = []

    def start(
        config: RunConfig, out: Path, trouble: str = ""
    ) -> tuple[multiprocessing.process.BaseProcess, Connection]:
        from training_child import train_child

        here, there = context.Pipe(duplex=False)
        child = context.Process(target=train_child, args=(config, out, trouble, there))
        child.start()
        children.append(child)
        there.close()
        return child, here

    yield start
    for child in children:
        child.kill()
        child.join()


def _kill(child: multiprocessing.process.BaseProcess) -> None:
    child.kill()  # SIGKILL
    child.join()
    assert child.exitcode == -9


def _answer(connection: Connection) -> Any:
    assert connection.poll(180), "the child said nothing"
    return connection.recv()


def _outcome(out: Path) -> tuple[bytes, bytes]:
    return (out / "model.safetensors").read_bytes(), (out / "log.jsonl").read_bytes()


def test_killed_in_a_save_and_in_a_step(
    tmp_path: Path,
    plain_config: Callable[..., RunConfig],
    run: Callable[..., Disentangler],
    start_child: Starter,
) -> None:
    config = plain_config(dropout=0.2, **STEPS)
    run(config, tmp_path / "whole")
    out = tmp_path / "killed"

    child, connection = start_child(config, out, "save 10")
    assert _answer(connection) == "here"
    _kill(child)
    # The save of step 10 left its half-written folder, and nothing that looks like a checkpoint.
    assert [p.name for p in list_checkpoints(out / "checkpoints")] == ["step-00000005", "step-00000008"]
    assert len(list((out / "checkpoints").glob(".partial-step-00000010-*/trainer"))) == 1

    child, connection = start_child(config, out, "step 13")
    assert _answer(connection) == "here"
    _kill(child)
    assert not list((out / "checkpoints").glob(".partial-*"))
    assert list_checkpoints(out / "checkpoints")[-1].name == "step-00000010"

    _, connection = start_child(config, out)
    assert _answer(connection) == "done"
    assert _outcome(out) == _outcome(tmp_path / "whole")


def test_killed_at_any_instant(
    tmp_path: Path,
    plain_config: Callable[..., RunConfig],
    run: Callable[..., Disentangler],
    start_child: Starter,
) -> None:
    config = plain_config(dropout=0.2, **(STEPS | {"steps": 15 * KILLS, "save_every": 1}))
    run(config, tmp_path / "whole")
    moments, out, killed = random.Random(0), tmp_path / "killed", 0
    while True:
        before = len(list_checkpoints(out / "checkpoints")) and list_checkpoints(out / "checkpoints")[-1].name
        child, connection = start_child(config, out)
        if killed < KILLS:
            # Wait until it is well under way, then let chance decide where it is hit.
            while child.is_alive() and (
                not list_checkpoints(out / "checkpoints")
                or list_checkpoints(out / "checkpoints")[-1].name == before
            ):
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.1))
            child.kill()
            child.join()
            killed += child.exitcode == -9
            if child.exitcode == 0:
                break
        else:
            assert _answer(connection) == "done"
            break
    assert killed >= 1
    assert _outcome(out) == _outcome(tmp_path / "whole")
    # Nothing is left of the kills: no unfinished file, no lock, no checkpoint that was about to be removed.
    names = [{p.relative_to(folder) for p in folder.rglob("*")} for folder in (out, tmp_path / "whole")]
    assert {p for p in names[0] ^ names[1] if p.parts[0] != "tensorboard"} == set()


def test_no_space_in_a_save(
    tmp_path: Path,
    plain_config: Callable[..., RunConfig],
    run: Callable[..., Disentangler],
    start_child: Starter,
) -> None:
    config = plain_config(dropout=0.2, **STEPS)
    run(config, tmp_path / "whole")
    out = tmp_path / "full"
    _, connection = start_child(config, out, "limit 10")
    message = _answer(connection)
    assert "\n" not in message
    assert "step-00000010" in message
    assert "cannot be written" in message
    assert [p.name for p in (out / "checkpoints").iterdir() if p.name.startswith(".")] == []
    assert list_checkpoints(out / "checkpoints")[-1].name == "step-00000008"
    Disentangler.from_pretrained(list_checkpoints(out / "checkpoints")[-1])

    _, connection = start_child(config, out)  # there is space again
    assert _answer(connection) == "done"
    assert _outcome(out) == _outcome(tmp_path / "whole")


def test_stopped_by_an_error_in_any_step(
    tmp_path: Path,
    plain_config: Callable[..., RunConfig],
    run: Callable[..., Disentangler],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from seqdis_plain import Plain

    config = plain_config(dropout=0.2, **(STEPS | {"accumulate": 2}))
    run(config, tmp_path / "whole")
    original = Plain.loss
    # Before the first checkpoint; right after one; between checkpoints; within an interval of the log.
    for stop in (1, 6, 8, 21):
        left = 2 * stop  # micro-batches

        def failing(self: Plain, *args: Any, **options: Any) -> Any:
            nonlocal left
            left -= self.training
            if left == 0:
                raise InputError("the power went")
            return original(self, *args, **options)

        out = tmp_path / f"stopped-{stop}"
        with monkeypatch.context() as patch:
            patch.setattr(Plain, "loss", failing)
            with pytest.raises(InputError, match="the power went"):
                run(config, out)
        run(config, out, resume=True)
        assert _outcome(out) == _outcome(tmp_path / "whole")
