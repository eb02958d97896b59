from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

Command = Callable[..., Result]


def test_prepare_reports_what_was_done(seqdis: Command, recordings: Path, tmp_path: Path) -> None:
    words = ("data", "prepare", recordings, tmp_path / "out", "every=3", "--modality", "toy", "--workers", 1)
    first = seqdis(*words)
    assert (first.exit_code, first.stdout) == (0, f"{tmp_path / 'out'}: 3 prepared\n")
    again = seqdis(*words, "--json")
    assert again.exit_code == 0
    assert json.loads(again.stdout) == {
        "out": str(tmp_path / "out"), "modality": "toy", "prepared": 0, "kept": 3, "gone": [], "failed": [],
    }  # fmt: skip


def test_some_failed_files_are_printed_and_end_with_1(seqdis: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    np.save(tmp_path / "in" / "good.npy", np.zeros((3, 8)))
    np.save(tmp_path / "in" / "bad.npy", np.full((3, 8), 666.0))
    words = ("data", "prepare", tmp_path / "in", tmp_path / "out", "--modality", "toy", "--workers", 1)
    result = seqdis(*words)
    assert result.exit_code == 1
    summary, reason = result.stdout.splitlines()
    assert summary == f"{tmp_path / 'out'}: 1 prepared, 1 failed ({tmp_path / 'out' / 'failed.json'})"
    assert reason == "  bad.npy: holds the number of the beast"
    as_json = seqdis(*words, "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["failed"] == [
        {"source": "bad.npy", "reason": "holds the number of the beast"}
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["every=0"], "toy preparation: key 'every' is 0, but: Input should be greater than or equal to 1"),
        (["evry=2"], "toy preparation: unknown key 'evry' (did you mean 'every'?); allowed: every, deadly"),
        (["every"], "override 'every' is not of the form key=value"),
        (["--workers", "0"], "Invalid value for '--workers'"),
    ],
)
def test_bad_options_are_one_line_and_nothing_is_written(
    refused: Callable[..., str], recordings: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    said = refused("data", "prepare", recordings, tmp_path / "out", "--modality", "toy", *words)
    assert said.startswith(message)
    assert not (tmp_path / "out").exists()


def test_a_missing_folder_is_named(refused: Callable[..., str], tmp_path: Path) -> None:
    assert (
        refused("data", "prepare", tmp_path / "no", tmp_path / "out")
        == f"{tmp_path / 'no'}: no such file or folder"
    )


def test_a_killed_command_goes_on_where_it_was(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for index in range(200):
        np.save(source / f"{index:03d}.npy", np.full((50, 8), float(index)))
    words = [
        sys.executable,
        "-m",
        "seqdis.core.cli",
        "data",
        "prepare",
        source,
        out,
        "--modality",
        "toy",
        "--workers",
        "1",
    ]
    process = subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and len(list(out.glob("*.npy"))) < 3:
        time.sleep(0.005)
    process.kill()
    process.wait()
    made = len(list(out.glob("*.npy")))
    assert 3 <= made < 200, "the kill came too late to show anything"
    done = subprocess.run([*map(str, words), "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["prepared"] + report["kept"] == 200
    assert report["kept"] >= made - 1  # one file may be in its place and not noted yet
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*(f"{index:03d}.npy" for index in range(200)), "prepared.jsonl"]
    )
    for index in range(200):
        assert (np.load(out / f"{index:03d}.npy") == index).all()
