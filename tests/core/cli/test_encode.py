from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors

Command = Callable[..., Result]
Refused = Callable[..., str]


def test_a_row_is_a_window_of_a_file(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "factors.safetensors"
    result = seqdis("encode", toy_run, recordings, "--out", out, "--device", "cpu")
    assert result.exit_code == 0, result.output
    factors = Factors.load(out)
    keys = list(factors.keys)
    assert keys == ["a.npy", "b.npy@0", "b.npy@6", "b.npy@12", "deep/c.npy@0", "deep/c.npy@6"]
    assert [p.name for p in out.parent.iterdir()] == ["factors.safetensors"]
    model = Disentangler.from_pretrained(toy_run)
    frames = torch.from_numpy(np.load(recordings / "b.npy"))[None, 6:12]
    with torch.no_grad():
        alone = model.encode(frames)
    torch.testing.assert_close(factors[2].static, alone.static)
    torch.testing.assert_close(factors[2].dynamic, alone.dynamic)


def test_stride_gives_windows_that_overlap(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "f.npz"
    result = seqdis("encode", toy_run, recordings / "b.npy", "--out", out, "--stride", 4, "--device", "cpu")
    assert result.exit_code == 0, result.output
    with np.load(out, allow_pickle=False) as arrays:
        assert arrays["keys"].tolist() == ["b.npy@0", "b.npy@4", "b.npy@8", "b.npy@12"]
        assert arrays["static"].shape == (4, 8)
        assert arrays["dynamic"].shape == (4, 6, 2)


def test_json_and_the_two_formats_agree(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "f.safetensors", tmp_path / "f.npz"
    said = json.loads(seqdis("encode", toy_run, recordings, "--out", one, "--device", "cpu", "--json").stdout)
    assert said == {
        "out": str(one),
        "files": [str(one)],
        "sequences": 6,
        "static_shape": [8],
        "dynamic_shape": [6, 2],
        "processes": 1,
    }
    seqdis("encode", toy_run, recordings, "--out", other, "--device", "cpu")
    factors = Factors.load(one)
    keys = list(factors.keys)
    with np.load(other, allow_pickle=False) as arrays:
        assert arrays["keys"].tolist() == keys
        assert np.array_equal(arrays["dynamic"], factors.dynamic.numpy())


def test_files_of_the_same_name_in_two_folders_keep_different_keys(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        shutil.copy(recordings / "a.npy", tmp_path / name)
    out = tmp_path / "f.safetensors"
    seqdis("encode", toy_run, tmp_path / "one", tmp_path / "two" / "a.npy", tmp_path / "one", "--out", out)
    assert list(Factors.load(out).keys) == ["one/a.npy", "two/a.npy"]


LAUNCH = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
LAUNCH += ["--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]


def launched(*words: object) -> subprocess.CompletedProcess[str]:
    """Two processes on the CPU: `--multi_gpu` is what makes accelerate start several."""
    command = [sys.executable, *LAUNCH, "-m", "seqdis.core.cli", *map(str, words), "--device", "cpu"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_two_processes_leave_the_same_bytes_as_one(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    alone, shared = tmp_path / "alone.safetensors", tmp_path / "shared.safetensors"
    assert seqdis("encode", toy_run, recordings, "--out", alone, "--device", "cpu").exit_code == 0
    done = launched("encode", toy_run, recordings, "--out", shared, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["processes"], said["sequences"]) == (2, 6)
    assert shared.read_bytes() == alone.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["alone.safetensors", "shared.safetensors"]


@pytest.mark.full
def test_what_goes_wrong_in_the_second_process_is_said_once(toy_run: Path, tmp_path: Path) -> None:
    inputs, out = tmp_path / "inputs", tmp_path / "f.safetensors"
    inputs.mkdir()
    for name, width in {"good.npy": 8, "narrow.npy": 3}.items():
        np.save(inputs / name, np.zeros((6, width), dtype=np.float32))
    done = launched("encode", toy_run, inputs, "--out", out)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert said[0].endswith(
        "narrow.npy: frames of shape (3,); the model takes (8,); --skip-bad leaves out what cannot be used; "
        f"1 of 2 shards are kept in {tmp_path / '.f.safetensors.shards'}, and the same command goes on from there"
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == [".f.safetensors.shards", "inputs"]


def test_bad_input_is_refused_with_one_line(
    refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "f.safetensors"
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "x.txt"
    text.write_text("no frames")
    truncated = tmp_path / "cut.npy"
    truncated.write_bytes((recordings / "a.npy").read_bytes()[:-50])
    assert (
        refused("encode", toy_run, empty, "--out", out)
        == f"{empty}: holds no file that toy reads; known: .npy"
    )
    assert (
        refused("encode", toy_run, text, "--out", out)
        == f"{text}: unknown kind of file '.txt'; toy reads: .npy"
    )
    assert (
        refused("encode", toy_run, tmp_path / "no.npy", "--out", out)
        == f"{tmp_path / 'no.npy'}: no such file or folder"
    )
    assert refused("encode", toy_run, truncated, "--out", out).startswith(
        f"{truncated}: cannot be read as npy"
    )
    assert refused("encode", toy_run, recordings, "--out", out.with_suffix(".xlsx")) == (
        f"{out.with_suffix('.xlsx')}: factors cannot be written as '.xlsx'; "
        "allowed: .safetensors, .npz, .csv, .parquet, or a folder"
    )
    assert (
        refused("encode", tmp_path / "none", recordings, "--out", out)
        == f"{tmp_path / 'none'}: no such run folder"
    )
    assert "holds no model" in refused("encode", empty, recordings, "--out", out)
    assert not out.parent.exists()


def test_frames_of_another_shape_and_nan_are_refused(refused: Refused, toy_run: Path, tmp_path: Path) -> None:
    wide, nan = tmp_path / "wide.npy", tmp_path / "nan.npy"
    np.save(wide, np.zeros((6, 9), dtype=np.float32))
    values = np.zeros((6, 8), dtype=np.float32)
    values[2, 3] = np.nan
    np.save(nan, values)
    out = tmp_path / "f.npz"
    assert (
        refused("encode", toy_run, wide, "--out", out)
        == f"{wide}: frames of shape (9,); the model takes (8,)"
    )
    assert "NaN or Inf, the first at index (2, 3)" in refused("encode", toy_run, nan, "--out", out)
    assert not out.exists()


def test_a_device_that_is_not_here(refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path) -> None:
    said = refused("encode", toy_run, recordings, "--out", tmp_path / "f.npz", "--device", "tpu")
    assert said.startswith("device 'tpu' is not on this machine; allowed here: cpu")


def test_a_damaged_run_is_refused(refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(toy_run, run)
    config = json.loads((run / "config.json").read_text())

    def said(**changes: object) -> str:
        (run / "config.json").write_text(json.dumps(config | changes))
        return refused("encode", run, recordings, "--out", tmp_path / "f.npz")

    assert said(format=1) == f"{run / 'config.json'}: format 1; this version reads format 2"
    assert said(modality="smell").startswith("unknown modality 'smell'")
    assert "unknown key 'hidden'" in said(model=config["model"] | {"hidden": 3})
    assert "weights and config.json disagree" in said(model=config["model"] | {"hidden_dim": 24})
    assert "'static_dim' is 0" in said(model=config["model"] | {"static_dim": 0})
    (run / "config.json").write_text("{")
    assert "cannot be read as JSON" in refused("encode", run, recordings, "--out", tmp_path / "f.npz")
    shutil.copy(toy_run / "config.json", run)
    (run / "model.safetensors").write_bytes(b"not weights")
    assert "model.safetensors: cannot be read" in refused(
        "encode", run, recordings, "--out", tmp_path / "f.npz"
    )
    assert not (tmp_path / "f.npz").exists()


def test_more_steps_than_in_training_can_be_taken_together(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "f.safetensors"
    words = ("encode", toy_run, recordings / "b.npy", "--out", out, "--device", "cpu")
    assert seqdis(*words, "--frames", 15).exit_code == 0
    factors = Factors.load(out)
    keys = list(factors.keys)
    assert (keys, factors.dynamic.shape[:2]) == (["b.npy"], (1, 15))


def test_a_setting_that_cannot_change_is_refused(
    refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    message = refused(
        "encode", toy_run, recordings / "b.npy", "--out", tmp_path / "f.npz", "--model", "static_dim=3"
    )
    assert message == "model: 'static_dim' cannot change after training; allowed: none"
