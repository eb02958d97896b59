from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from seqdis.core.disentangler import Disentangler

Command = Callable[..., Result]
Refused = Callable[..., str]


def test_one_file_to_one_file(seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.npy"
    result = seqdis(
        "reconstruct", toy_run, recordings / "b.npy", "--out", out, "--start", 3, "--device", "cpu"
    )
    assert result.exit_code == 0, result.output
    source = torch.from_numpy(np.load(recordings / "b.npy"))[None, 3:9]
    expected = Disentangler.from_pretrained(toy_run).reconstruct(source)[0]
    torch.testing.assert_close(torch.from_numpy(np.load(out)), expected)


def test_a_folder_to_a_folder_of_the_same_tree(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    words = ("reconstruct", toy_run, recordings, "--device", "cpu", "--json", "--out")
    rows = json.loads(seqdis(*words, tmp_path / "r").stdout)
    names = ["a.npy", "b.npy", "deep/c.npy"]
    assert sorted(str(p.relative_to(tmp_path / "r")) for p in (tmp_path / "r").rglob("*.npy")) == names
    assert [row["out"] for row in rows] == [str(tmp_path / "r" / name) for name in names]
    source, result = np.load(recordings / "a.npy"), np.load(tmp_path / "r" / "a.npy")
    assert rows[0]["mse"] == pytest.approx(float(((source - result) ** 2).mean()), rel=1e-5)


def test_the_batch_size_does_not_change_the_result(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    for size in (1, 3):
        seqdis("reconstruct", toy_run, recordings, "--out", tmp_path / str(size), "--batch-size", size)
    for name in ("a.npy", "b.npy", "deep/c.npy"):
        one, three = (np.load(tmp_path / size / name) for size in ("1", "3"))
        np.testing.assert_allclose(one, three, atol=1e-4)


def test_steps_replaces_the_samplers_own(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    for steps in (2, 8):
        result = seqdis(
            "reconstruct", toy_run, recordings / "a.npy", "--out", tmp_path / f"{steps}.npy", "--steps", steps
        )
        assert result.exit_code == 0, result.output
    seqdis("reconstruct", toy_run, recordings / "a.npy", "--out", tmp_path / "own.npy")
    assert np.array_equal(np.load(tmp_path / "8.npy"), np.load(tmp_path / "own.npy"))
    assert not np.array_equal(np.load(tmp_path / "2.npy"), np.load(tmp_path / "own.npy"))


def test_bad_input_is_refused_with_one_line(
    refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r.npy"
    assert refused("reconstruct", toy_run, recordings, "--out", out) == (
        f"--out {out}: one file for 3 inputs; give a folder"
    )
    assert refused("reconstruct", toy_run, recordings / "a.npy", "--out", tmp_path / "r.mp3") == (
        f"{tmp_path / 'r.mp3'}: toy cannot write '.mp3'; allowed: .npy"
    )
    assert refused("reconstruct", toy_run, recordings / "a.npy", "--out", out, "--start", 6) == (
        f"{recordings / 'a.npy'}: has 6 steps; at least 7 are needed"
    )
    assert refused("reconstruct", toy_run, recordings / "a.npy", "--out", out, "--frames", 7) == (
        f"{recordings / 'a.npy'}: has 6 steps; at least 7 are needed"
    )
    assert not [*tmp_path.iterdir()]


def test_another_sampler_gives_other_frames_close_by(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    for kind in ("edm", "dpmpp"):
        words = ["reconstruct", toy_run, recordings / "a.npy", "--out", tmp_path / f"{kind}.npy"]
        assert seqdis(*words, "--sampler", kind, "--steps", 30).exit_code == 0
    one, two = (np.load(tmp_path / f"{kind}.npy") for kind in ("edm", "dpmpp"))
    assert 0 < np.abs(one - two).max() < 0.1
    bad = seqdis(
        "reconstruct", toy_run, recordings / "a.npy", "--out", tmp_path / "x.npy", "--sampler", "euler"
    )
    assert bad.exit_code == 2
    assert "'euler'" in bad.stderr


def test_fresh_noise_gives_another_result_than_inverted_noise_and_follows_the_seed(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    choices = {"own": (), "fresh": ("--noise", "fresh"), "other": ("--noise", "fresh", "--seed", 1)}
    for name, noise in choices.items():
        words = ["reconstruct", toy_run, recordings / "a.npy", "--out", tmp_path / f"{name}.npy"]
        assert seqdis(*words, *noise).exit_code == 0
    own, fresh, other = (np.load(tmp_path / f"{name}.npy") for name in choices)
    assert np.abs(own - fresh).max() > 1e-3
    source = np.load(recordings / "a.npy")[: len(own)].astype(np.float64)
    (row,) = json.loads(seqdis(*words, *noise, "--json").stdout)
    assert row["mse"] == row["mse_fresh"] == pytest.approx(((other - source) ** 2).mean(), rel=1e-4)
    assert row["mse_inverted"] == pytest.approx(((own - source) ** 2).mean(), rel=1e-4)
    assert "mse, inverted noise" in " ".join(seqdis(*words).stdout.split())
    assert np.abs(fresh - other).max() > 1e-3
