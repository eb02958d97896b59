"""How the work is shared does not change the result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.processes import Processes, check_launch
from seqdis.core.training import Trainer
from seqdis.core.training.notes import read_notes


def _assert_same(one: Path, other: Path) -> None:
    weights, others = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    assert weights.keys() == others.keys()
    for name in weights:
        torch.testing.assert_close(weights[name], others[name], rtol=0, atol=1e-5)
    lines = [[json.loads(line) for line in (f / "log.jsonl").read_text().splitlines()] for f in (one, other)]
    assert len(lines[0]) == len(lines[1])
    for a, b in zip(*lines, strict=True):
        assert a == pytest.approx(b, rel=1e-4)


def _stop(
    config: RunConfig,
    out: Path,
    run: Callable[..., Disentangler],
    monkeypatch: pytest.MonkeyPatch,
    *,
    at: int,
) -> None:
    """Begin a run or go on with it, up to a step that fails."""
    original = Trainer.step

    def stop(self: Trainer, number: int, batches: Any) -> Any:
        if number == at:
            raise InputError("stopped")
        return original(self, number, batches)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", stop)
        with pytest.raises(InputError, match="stopped"):
            run(config, out, resume=True)


def test_two_processes_are_one(
    tmp_path: Path,
    plain_config: Callable[..., RunConfig],
    run: Callable[..., Disentangler],
    monkeypatch: pytest.MonkeyPatch,
    held_elsewhere: Callable[[Path], int],
) -> None:
    steps: dict[str, Any] = {"steps": 12, "log_every": 4, "save_every": 5, "eval_every": 6}
    config, dropping, two = plain_config(**steps), plain_config(dropout=0.2, **steps), tmp_path / "two"
    run(config, tmp_path / "one")
    _stop(dropping, two / "more", run, monkeypatch, at=8)
    holder = held_elsewhere(two / "held")
    launched = Path(__file__).with_name("launched.py")
    # `--cpu` would start one process only; the flag that starts several works without a GPU too.
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command += ["--main_process_port", "0"]
    done = subprocess.run(
        [*command, str(launched), str(tmp_path / "one" / "config.json"), str(tmp_path / "two")],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "two" / "whole" / "run.json").read_text())["processes"] == 2
    _assert_same(tmp_path / "one", tmp_path / "two" / "whole")
    # Resuming is exact on two processes as well: the state of both is in the checkpoint.
    names = ("whole", "resumed", "interrupted")
    files = [(tmp_path / "two" / name / "model.safetensors").read_bytes() for name in names]
    assert files[0] == files[1]
    # Ctrl-C that one of them hears stops both after the same step, the next.
    assert done.stdout.count("stopped after step 8 of 12; go on by resume=True") == 2
    assert files[0] == files[2]

    # Another number of processes goes on: the same whether it is stopped again or not, and the log says it.
    shutil.copytree(two / "fewer", two / "again")
    run(dropping, two / "fewer", resume=True)
    _stop(dropping, two / "again", run, monkeypatch, at=9)
    run(dropping, two / "again", resume=True)
    for name in ("model.safetensors", "log.jsonl"):
        assert (two / "fewer" / name).read_bytes() == (two / "again" / name).read_bytes()
    for name, change in {"fewer": [2, 1], "more": [1, 2]}.items():
        assert read_notes(two / name / "log.jsonl") == [{"step": 6, "changed": {"processes": change}}]
        assert json.loads((two / name / "run.json").read_text())["processes"] == change[1]

    # Of two processes that find the folder taken, one says so; their lines may stand in one.
    taken = f"{two / 'held'}: is being written to by process {holder} on"
    said = {error: done.stdout.count(f"{error}: {taken}") for error in ("FolderInUseError", "InputError")}
    assert sum(said.values()) == 1
    assert done.stdout.count(f"ReportedElsewhere: {taken}") == 1


def test_a_launch_that_starts_one_process_of_several_says_how_to(
    tmp_path: Path,
    plain_config: Callable[..., RunConfig],
    run: Callable[..., Disentangler],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What `accelerate launch --cpu --num_processes 2` leaves in the environment, and what it would for several.
    for name, value in {
        "ACCELERATE_USE_CPU": "True",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29500",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=r"^accelerate launch: .* `torchrun --nproc_per_node 2 [^\n]*$"):
        run(plain_config(), tmp_path / "run")
    with pytest.raises(InputError, match=r"^accelerate launch: "), Processes(cpu=True):
        pass
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("RANK", "0")
    check_launch()
    monkeypatch.delenv("RANK")
    monkeypatch.delenv("MASTER_PORT")
    check_launch()


def test_accumulation_is_the_whole_batch(
    tmp_path: Path, plain_config: Callable[..., RunConfig], run: Callable[..., Disentangler]
) -> None:
    run(plain_config(steps=12), tmp_path / "one")
    run(plain_config(steps=12, accumulate=4), tmp_path / "four")
    _assert_same(tmp_path / "one", tmp_path / "four")
