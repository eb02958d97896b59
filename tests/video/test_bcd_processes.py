"""BCD's rate and its stages do not depend on how many processes share the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHED = Path(__file__).with_name("bcd_launched.py")


def run(out: Path, *launcher: str) -> list[dict[str, float]]:
    done = subprocess.run(
        [sys.executable, *launcher, str(LAUNCHED), str(out)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_two_processes_are_one_in_both_stages(tmp_path: Path) -> None:
    one = run(tmp_path / "one")
    launcher = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launcher += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    two = run(tmp_path / "two", *launcher, "--main_process_port", "0")
    assert json.loads((tmp_path / "two" / "run.json").read_text(encoding="utf-8"))["processes"] == 2
    assert [line["step"] for line in two] == [1, 2, 3, 4, 5, 6]
    for a, b in zip(one, two, strict=True):
        assert a == pytest.approx(b, rel=1e-3)
