from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Command = Callable[..., Result]
Refused = Callable[..., str]


def words(toy_files: Path, toy_codec: Path, out: Path) -> list[object]:
    settings = ["--preset", "toy-folder", "codec.name=linear", "--codec", toy_codec, "--batch-size", 3]
    return ["data", "encode", toy_files, *settings, "--out", out, "--device", "cpu"]


def test_latents_are_made_and_learnt_from_by_one_command_each(
    seqdis: Command, toy_files: Path, toy_codec: Path, toy_latents: Path, tmp_path: Path
) -> None:
    out, run = tmp_path / "latents", tmp_path / "run"
    said = json.loads(seqdis(*words(toy_files, toy_codec, out), "--json").stdout)
    frames = sum(2 + i % 8 for i in range(14))
    assert (said["out"], said["recordings"], said["frames"]) == (str(out), 14, frames)
    assert (said["latent_shape"], len(said["mean"]), len(said["std"])) == ([5], 5, 5)
    assert {p.name: p.read_bytes() for p in out.glob("*.safetensors")} == {
        p.name: p.read_bytes() for p in toy_latents.glob("*.safetensors")
    }
    again = seqdis(*words(toy_files, toy_codec, out))
    assert again.exit_code == 0, again.output
    assert f"{frames} frames of 14 recordings, latents 5," in again.stdout.replace("\n", " ")
    train = ["train", "toy-folder", "codec.name=linear", "length=4", "train.steps=2", "--data", out]
    planned = json.loads(seqdis(*train, "--dry-run", "--json").stdout)
    assert planned["sequence_shape"] == [4, 5]
    assert planned["config"]["codec"]["path"] == str(toy_codec)
    done = seqdis(*train, "--out", run, "--device", "cpu")
    assert done.exit_code == 0, done.output
    encoded = seqdis("encode", run, toy_files, "--out", tmp_path / "f.safetensors", "--device", "cpu")
    assert encoded.exit_code == 0, encoded.output
    fitted = seqdis("prior", "fit", run, "hidden=16", "layers=3", "epochs=1", "steps=5", "resamples=2")
    assert fitted.exit_code == 0, fitted.output  # from the latents that the run remembers


@pytest.mark.full
def test_processes_of_one_launch_share_the_work(
    toy_files: Path, toy_codec: Path, toy_latents: Path, tmp_path: Path
) -> None:
    launch = [
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
    ]
    launch += ["--main_process_port", "0", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command = [sys.executable, *launch, "-m", "seqdis.core.cli"]
    command += [*map(str, words(toy_files, toy_codec, tmp_path / "latents")), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["processes"] == 2
    for path in toy_latents.glob("*.safetensors"):
        assert (tmp_path / "latents" / path.name).read_bytes() == path.read_bytes()


def test_bad_input_is_refused_with_one_line(
    refused: Refused, toy_files: Path, toy_codec: Path, toy_latents: Path, toy_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "latents"
    bare = ["data", "encode", toy_files, "--preset", "toy-folder", "--out", out]
    assert "preset 'toy-folder' has no frame codec" in refused(*bare)
    assert "no such file or folder" in refused(*words(tmp_path / "no", toy_codec, out))
    assert "is there and holds no shards" in refused(*words(toy_files, toy_codec, toy_files))
    missing = refused("data", "encode", toy_files, "--out", out)
    assert "--preset" in missing
    # Latents are for training; what shows or encodes frames wants the files.
    said = refused("encode", toy_run, toy_latents, "--out", tmp_path / "f.npz")
    assert said.startswith(f"{toy_latents}: holds latents of {toy_files}; give the files themselves")
    said = refused("data", "check", toy_latents)
    assert said.startswith(f"{toy_latents}: holds latents of {toy_files}; give the files themselves")
    assert not out.exists()
