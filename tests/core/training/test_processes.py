"""How the work is shared does not change the result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler


def _assert_same(one: Path, other: Path) -> None:
    weights, others = load_file(one / "model.safetensors"), load_file(other / "model.safetensors")
    assert weights.keys() == others.keys()
    for name in weights:
        torch.testing.assert_close(weights[name], others[name], rtol=0, atol=1e-5)
    lines = [[json.loads(line) for line in (f / "log.jsonl").read_text().splitlines()] for f in (one, other)]
    assert len(lines[0]) == len(lines[1])
    for a, b in zip(*lines, strict=True):
        assert a == pytest.approx(b, rel=1e-4)


def test_two_processes_are_one(
    tmp_path: Path, plain_config: Callable[..., RunConfig], run: Callable[..., Disentangler]
) -> None:
    config = plain_config(steps=12, log_every=4, save_every=5, eval_every=6)
    run(config, tmp_path / "one")
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


def test_accumulation_is_the_whole_batch(
    tmp_path: Path, plain_config: Callable[..., RunConfig], run: Callable[..., Disentangler]
) -> None:
    run(plain_config(steps=12), tmp_path / "one")
    run(plain_config(steps=12, accumulate=4), tmp_path / "four")
    _assert_same(tmp_path / "one", tmp_path / "four")
