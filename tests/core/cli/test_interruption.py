"""The command that trains, told to stop in a process of its own: code, line, checkpoint, and the same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]

STEPS = 40
# The toy's steps take a few milliseconds: so slow, that a signal hits one of them and not the end.
SLOW = """
import sys, time
from seqdis.core.training.trainer import Trainer
step = Trainer.step
def slow(self, number, batches):
    time.sleep(0.05)
    return step(self, number, batches)
Trainer.step = slow
from seqdis.core.cli import main
sys.argv[0] = "seqdis"
main()
"""


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[subprocess.Popen[str]] = []

    def begin(out: Path, *words: str) -> subprocess.Popen[str]:
        train = ["train", "toy", f"train.steps={STEPS}", "log_every=1", "save_every=1000", "eval_every=1000"]
        command = [sys.executable, "-c", SLOW, *train, "--out", str(out), "--device", "cpu", *words]
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            start_new_session=True,  # a group of its own, as a shell gives it
        )
        children.append(child)
        return child

    yield begin
    for child in children:
        child.kill()
        child.wait()


def outcome(out: Path) -> list[bytes]:
    return [(out / name).read_bytes() for name in ("model.safetensors", "log.jsonl")]


def wait_for_steps(out: Path, count: int) -> None:
    for _ in range(6000):
        if (out / "log.jsonl").is_file() and (out / "log.jsonl").read_text().count("\n") >= count:
            return
        time.sleep(0.05)
    pytest.fail("the training did not begin")


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGINT, 130, ()),
        # Loader processes get what the whole group gets.
        pytest.param(signal.SIGTERM, 143, ("workers=2", "accumulate=2"), marks=pytest.mark.full),
    ],
)
def test_told_to_stop_it_saves_says_how_to_go_on_and_ends_the_same(
    start: Start, tmp_path: Path, number: int, code: int, words: tuple[str, ...]
) -> None:
    whole, out = start(tmp_path / "whole", *words), tmp_path / "stopped"
    child = start(out, *words)
    wait_for_steps(out, 3)
    os.killpg(child.pid, number)
    said, lines = child.communicate(timeout=120)
    assert child.returncode == code, lines
    assert said == ""
    (saved,) = (out / "checkpoints").iterdir()
    step = int(saved.name.removeprefix("step-"))
    assert 3 <= step < STEPS
    last = lines.strip().splitlines()[-1]
    assert (
        last
        == f"stopped after step {step} of {STEPS}; go on by the same command and --resume (saved: {saved})"
    )
    assert "Traceback" not in lines
    again = start(out, *words, "--resume")
    assert again.wait(timeout=240) == 0
    assert whole.wait(timeout=240) == 0
    assert outcome(out) == outcome(tmp_path / "whole")
