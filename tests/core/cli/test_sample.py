from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from typer.testing import Result

from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.priors.store import load_prior

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
    factors = Factors.load(out / "factors.safetensors")
    keys = list(factors.keys)
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


def sampled(seqdis: Command, run: Path, *words: object) -> Factors:
    out = run / "sample"
    result = seqdis("sample", run, *words, "--device", "cpu", "--out", out)
    assert result.exit_code == 0, result.output
    return Factors.load(out / "factors.safetensors")


def test_the_content_of_a_file_with_drawn_motion_of_any_length(
    seqdis: Command, coded_run: Path, coded_recordings: Path, tmp_path: Path
) -> None:
    clip, out = coded_recordings / "00.npy", tmp_path / "out"
    words = ("sample", coded_run, "--content", clip, "--frames", 100, "-n", 2, "--out", out, "--json")
    said = json.loads(seqdis(*words, "--device", "cpu").stdout)
    assert (said["count"], said["frames"], said["content"]) == (2, 100, str(clip))
    assert np.load(out / "sample-1.npy").shape == (100, 3, 8, 8)
    assert np.isfinite(np.load(out / "sample-1.npy")).all()
    factors = Factors.load(out / "factors.safetensors")
    model = Disentangler.from_pretrained(coded_run)
    own = model.encode(torch.from_numpy(np.load(clip))[None])
    torch.testing.assert_close(factors.static, own.static.expand(2, -1))
    codes = factors.extras["codes"].value
    assert codes.shape == (2, 100, 2)
    assert not torch.equal(codes[0], codes[1])


def test_one_step_of_a_file_is_enough_for_its_content(
    seqdis: Command, coded_run: Path, coded_recordings: Path
) -> None:
    clip = coded_recordings / "02.npy"  # eight steps
    drawn = sampled(seqdis, coded_run, "--content", clip, "--start", 7, "-n", 1)
    own = Disentangler.from_pretrained(coded_run).encode(torch.from_numpy(np.load(clip))[None, 7:])
    torch.testing.assert_close(drawn.static, own.static)
    assert drawn.steps == 6


def test_settings_of_the_prior_can_be_changed_for_some_draws(
    seqdis: Command, coded_run: Path, coded_recordings: Path
) -> None:
    words = ("--content", coded_recordings / "00.npy", "-n", 4)
    greedy = sampled(seqdis, coded_run, *words, "--prior", "top_k=1", "--prior", "temperature=2")
    codes = greedy.extras["codes"].value
    assert torch.equal(codes, codes[:1].expand(4, -1, -1))
    record = json.loads((coded_run / "sample" / "sample.json").read_text())
    assert record["prior"] == {"top_k": 1, "temperature": 2}
    assert not torch.equal(sampled(seqdis, coded_run, *words).extras["codes"].value, codes)


def test_contents_without_a_file_are_those_of_training(seqdis: Command, coded_run: Path) -> None:
    drawn = sampled(seqdis, coded_run, "-n", 3, "--frames", 9)
    assert drawn.steps == 9
    known = load_prior(coded_run / "prior").contents  # type: ignore[attr-defined]
    assert all(any(torch.equal(one, other) for other in known) for one in drawn.static)


def test_a_prior_of_vectors_draws_given_a_content_too(
    seqdis: Command, prior_run: Path, recordings: Path
) -> None:
    drawn = sampled(seqdis, prior_run, "--content", recordings / "a.npy")
    assert drawn.dynamic.shape == (4, 6, 2)
    assert torch.equal(drawn.static, drawn.static[:1].expand(4, -1))


def test_bad_content_and_settings_are_refused_with_one_line(
    refused: Refused, prior_run: Path, coded_run: Path, recordings: Path, coded_recordings: Path
) -> None:
    assert "at least 10 are needed" in refused(
        "sample", coded_run, "--content", coded_recordings / "00.npy", "--start", 9
    )
    assert refused("sample", coded_run, "--content", coded_recordings).startswith(
        f"--content {coded_recordings}: holds 40 inputs"
    )
    assert "the model takes (3, 8, 8)" in refused("sample", coded_run, "--content", recordings / "a.npy")
    assert refused("sample", coded_run, "--prior", "width=3").startswith("prior: 'width' cannot change")
    assert "is not of the form key=value" in refused("sample", coded_run, "--prior", "top_k")
    assert "key 'top_p' is 2" in refused("sample", coded_run, "--prior", "top_p=2")
    assert refused("sample", prior_run, "--frames", 7).startswith("steps 7: this prior draws sequences of 6")


def test_bad_input_is_refused_with_one_line(refused: Refused, prior_run: Path, tmp_path: Path) -> None:
    assert "a folder is needed" in refused("sample", prior_run, "--out", tmp_path / "x.npy")
    assert not [*tmp_path.iterdir()]
