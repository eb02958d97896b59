"""Ctrl-C and SIGTERM during a training: a checkpoint first, and the same end when it goes on."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdis.core import fit
from seqdis.core.config import RunConfig, TrainConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, TrainingInterrupted, TrainingTerminated
from seqdis.core.training.checkpoint import list_checkpoints
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.stop_signals import StopSignals

STEPS = {"steps": 12, "log_every": 4, "save_every": 5, "eval_every": 6, "dropout": 0.2}

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]
Act = Callable[[], None]


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Act], None]:
    """``during(7, act)`` calls ``act`` within step 7, of the process's next training alone."""
    from seqdis_plain import Plain

    original = Plain.loss

    def plan(step: int, act: Act) -> None:
        left = step

        def loss(self: Plain, *args: Any, **options: Any) -> Any:
            nonlocal left
            left -= self.training
            if left == 0 and self.training:
                left = -1
                act()
            return original(self, *args, **options)

        monkeypatch.setattr(Plain, "loss", loss)

    return plan


def send(number: int) -> Act:
    return lambda: os.kill(os.getpid(), number)


def outcome(out: Path) -> tuple[bytes, bytes]:
    return (out / "model.safetensors").read_bytes(), (out / "log.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [(signal.SIGINT, TrainingInterrupted, None), (signal.SIGTERM, TrainingTerminated, 143)],
)
@pytest.mark.parametrize("step", [1, 6, 7])  # before the first line of the log; in a step that is validated
def test_a_signal_is_obeyed_after_the_step_and_a_checkpoint(
    tmp_path: Path,
    plain_config: Configure,
    run: Run,
    during: Callable[[int, Act], None],
    number: int,
    kind: type[BaseException],
    code: int | None,
    step: int,
) -> None:
    config, out = plain_config(**STEPS), tmp_path / "stopped"
    run(config, tmp_path / "whole")
    during(step, send(number))
    with pytest.raises(kind) as ended:
        run(config, out)
    assert getattr(ended.value, "code", None) == code
    saved = list_checkpoints(out / "checkpoints")[-1]
    assert saved.name == f"step-{step:08d}"
    message = f"stopped after step {step} of 12; go on by resume=True (saved: {saved})"
    assert getattr(ended.value, "message", str(ended.value)) == message
    assert not (out / "model.safetensors").exists()
    run(config, out, resume=True)
    assert outcome(out) == outcome(tmp_path / "whole")


def test_handlers_are_as_before_afterwards(
    tmp_path: Path, plain_config: Configure, run: Run, during: Callable[[int, Act], None]
) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before, within = [signal.getsignal(n) for n in numbers], []
    during(1, lambda: within.extend(signal.getsignal(n) for n in numbers))
    run(plain_config(steps=2), tmp_path / "run")
    assert [signal.getsignal(n) for n in numbers] == before
    assert all(now != usual for now, usual in zip(within, before, strict=True))


def test_a_second_ctrl_c_leaves_at_once(
    tmp_path: Path, plain_config: Configure, run: Run, during: Callable[[int, Act], None]
) -> None:
    def twice() -> None:
        send(signal.SIGINT)()
        time.sleep(0.35)
        send(signal.SIGINT)()
        time.sleep(5)

    config, began = plain_config(**STEPS), time.monotonic()
    during(7, twice)
    with pytest.raises(KeyboardInterrupt) as ended:
        run(config, tmp_path / "run")
    assert not isinstance(ended.value, TrainingInterrupted)
    assert time.monotonic() - began < 5
    assert [p.name for p in list_checkpoints(tmp_path / "run" / "checkpoints")] == [
        "step-00000005",
        "step-00000006",
    ]


def test_a_signal_that_comes_twice_in_a_moment_is_one(
    tmp_path: Path, plain_config: Configure, run: Run, during: Callable[[int, Act], None]
) -> None:
    def both() -> None:  # as a launcher passes on what the terminal has sent already
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
            send(number)()
            time.sleep(0.02)

    during(7, both)
    with pytest.raises(TrainingInterrupted):
        run(plain_config(**STEPS), tmp_path / "run")
    assert list_checkpoints(tmp_path / "run" / "checkpoints")[-1].name == "step-00000007"


def test_a_signal_in_the_last_step_leaves_a_finished_run(
    tmp_path: Path, plain_config: Configure, run: Run, during: Callable[[int, Act], None]
) -> None:
    config = plain_config(**STEPS)
    run(config, tmp_path / "whole")
    during(12, send(signal.SIGINT))
    with pytest.raises(TrainingInterrupted, match=r"^interrupted; .*run is finished$"):
        run(config, tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(tmp_path / "whole")


def test_a_signal_that_is_ignored_or_handled_by_somebody_else_stays_so(
    tmp_path: Path, plain_config: Configure, run: Run, during: Callable[[int, Act], None]
) -> None:
    seen: list[int] = []
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))

        def both() -> None:
            send(signal.SIGINT)()
            send(signal.SIGTERM)()

        during(3, both)
        run(plain_config(steps=4), tmp_path / "run")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert seen == [signal.SIGTERM]
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_a_thread_trains_without_touching_signals(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    before, out = signal.getsignal(signal.SIGINT), tmp_path / "run"
    thread = threading.Thread(target=run, args=(plain_config(steps=2), out))
    thread.start()
    thread.join(60)
    assert (out / "model.safetensors").is_file()
    assert signal.getsignal(signal.SIGINT) is before


def test_loader_processes_inherit_blocked_signals_and_the_trainer_does_not() -> None:
    def batches() -> Any:
        for _ in range(3):
            yield signal.pthread_sigmask(signal.SIG_BLOCK, [])

    stop = {signal.SIGINT, signal.SIGTERM}
    with StopSignals(make_accelerator(TrainConfig(steps=1), "cpu")) as signals:
        first, *rest = signals.shield(batches())  # processes start with the first batch
        assert stop <= first
        assert all(not stop & later for later in rest)
        assert not stop & signal.pthread_sigmask(signal.SIG_BLOCK, [])
        assert list(signals.shield(iter([]))) == []


def test_ctrl_c_comes_through_fit(
    tmp_path: Path, plain_config: Configure, during: Callable[[int, Act], None]
) -> None:
    x = np.random.default_rng(0).normal(size=(40, 6, 8))
    options: dict[str, Any] = {"preset": plain_config(**STEPS), "device": "cpu", "progress": False}
    during(3, send(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match=r"^stopped, and nothing is kept: "):
        fit(x, **options)
    during(3, send(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt, match="stopped after step 3 of 12; go on by resume=True"):
        fit(x, out=tmp_path / "run", **options)
    assert [p.name for p in list_checkpoints(tmp_path / "run" / "checkpoints")] == ["step-00000003"]
    model = fit(x, out=tmp_path / "run", resume=True, **options)
    whole = fit(x, **options)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), whole.parameters(), strict=True))
    with pytest.raises(
        InputError, match=r"^resume: there is no run to go on with; give the folder of one by out$"
    ):
        fit(x, resume=True, **options)
