from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from typer.testing import Result

from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors

Command = Callable[..., Result]
Refused = Callable[..., str]


def test_a_folder_gets_media_pictures_factors_and_a_record(
    seqdis: Command, prior_run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new"
    said = json.loads(seqdis("sample", prior_run, "-n", 11, "--out", out, "--device", "cpu", "--json").stdout)
    media = [f"sample-{i:02d}.npy" for i in range(11)]
    assert sorted(p.name for p in out.iterdir()) == [
        "factors.safetensors",
        *media,
        "sample.json",
        "sample.png",
    ]
    assert said["files"] == [str(out / n) for n in [*media, "sample.png", "factors.safetensors"]]
    assert (out / "sample.png").read_bytes().endswith(b"[2, 2, 2, 2, 2, 1]")
    factors, keys = Factors.load(out / "factors.safetensors")
    assert keys[10] == "sample-10"
    assert len(factors) == 11
    assert np.load(out / "sample-00.npy").shape == (6, 8)
    shapes = Disentangler.from_pretrained(prior_run).encode(torch.randn(1, 6, 8))
    assert factors.static.shape[1:] == shapes.static.shape[1:]


def test_the_same_seed_gives_the_same_files_whatever_the_count(
    seqdis: Command, prior_run: Path, tmp_path: Path
) -> None:
    for name, count in (("one", 3), ("two", 3), ("more", 5)):
        seqdis("sample", prior_run, "-n", count, "--out", tmp_path / name, "--batch-size", 2)
    first = (tmp_path / "one" / "sample-2.npy").read_bytes()
    assert (tmp_path / "two" / "sample-2.npy").read_bytes() == first
    np.testing.assert_allclose(
        np.load(tmp_path / "more" / "sample-2.npy"), np.load(tmp_path / "one" / "sample-2.npy"), atol=1e-3
    )
    seqdis("sample", prior_run, "-n", 3, "--out", tmp_path / "seed", "--seed", 1)
    assert (tmp_path / "seed" / "sample-2.npy").read_bytes() != first


def test_bad_input_is_refused_with_one_line(refused: Refused, prior_run: Path, tmp_path: Path) -> None:
    assert "a folder is needed" in refused("sample", prior_run, "--out", tmp_path / "x.npy")
    assert not [*tmp_path.iterdir()]
