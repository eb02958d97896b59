"""Recordings as people have them: one command each trains, encodes, reconstructs, swaps and reports."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.factors import Factors
from seqdis.core.pretrained import load

CASES = Path(__file__).parents[1] / "cases"


def seqdis(*words: object) -> str:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def tone(path: Path, hertz: float, seconds: float, rate: int) -> None:
    time = np.arange(round(rate * seconds)) / rate
    noise = np.random.default_rng(round(hertz)).standard_normal(len(time))
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * hertz * time) + 0.01 * noise, rate)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dozen wavs at 8 kHz of 0.3 to 2 s, and two files of other kinds and rates."""
    root = tmp_path_factory.mktemp("sounds")
    for number, seconds in enumerate(np.linspace(0.3, 2.0, 12)):
        tone(root / f"{number:02d}.wav", 200 + 60 * number, seconds, 8000)
    for name in ("05.mp3", "08.opus"):
        shutil.copy(CASES / "10-other-audio" / name, root)
    return root


@pytest.fixture(scope="module")
def run(folder: Path) -> Path:
    out = folder.parent / "run"
    # Fewer steps alone: nothing about the data is said.
    seqdis("train", "diffsda-audio", "--data", folder, "--out", out, "--device", "cpu",
           "train.steps=2", "batch_size=4", "eval_every=2")  # fmt: skip
    return out


def test_what_was_open_is_stored_with_the_run(run: Path) -> None:
    options = json.loads((run / "config.json").read_text())["data"]["options"]
    assert (options["sample_rate"], options["f_max"], options["n_fft"]) == (8000, 4000, 256)
    assert load(run).run_config.data.options == options


def test_a_sequence_is_dated_and_padded(folder: Path, run: Path, tmp_path: Path) -> None:
    seqdis("encode", run, folder, "--out", tmp_path / "f.safetensors", "--device", "cpu")
    factors = Factors.load(tmp_path / "f.safetensors")
    assert {key.partition("@")[0] for key in factors.keys} == {path.name for path in folder.iterdir()}
    row = list(factors.keys).index("00.wav")  # 0.3 s: 1 + 2400 // 68 steps
    assert factors.mask is not None
    assert int(factors.mask[row].sum()) == 36
    assert factors.stamps is not None
    np.testing.assert_allclose(factors.stamps[row, :36], np.arange(36) * 68 / 8000)
    later = [i for i, key in enumerate(factors.keys) if key == "11.wav@68"]
    np.testing.assert_allclose(factors.stamps[later[0], 0], 68 * 68 / 8000)


def test_files_of_any_kind_lend_factors(folder: Path, run: Path, tmp_path: Path) -> None:
    seqdis("swap", run, "--static", folder / "05.mp3", "--dynamic", folder / "00.wav",
           "--out", tmp_path / "s", "--steps", 2, "--device", "cpu")  # fmt: skip
    (swapped,) = [path for path in (tmp_path / "s").iterdir() if path.suffix == ".wav"]
    info = soundfile.info(swapped)
    assert (info.samplerate, info.frames) == (8000, 35 * 68)  # as long as the one that lends the dynamics


def test_a_reconstruction_of_an_mp3_is_a_wav(folder: Path, run: Path, tmp_path: Path) -> None:
    seqdis("reconstruct", run, folder / "05.mp3", "--out", tmp_path / "r", "--steps", 2, "--device", "cpu")
    (written,) = [path for path in (tmp_path / "r").rglob("*") if path.is_file()]
    assert soundfile.info(written).samplerate == 8000


def test_a_report_is_written(folder: Path, run: Path, tmp_path: Path) -> None:
    seqdis("eval", "report", run, "--data", folder, "--out", tmp_path / "r.html", "--device", "cpu")
    assert "<audio" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_it_goes_on_with_the_settings_that_it_found_though_files_of_another_rate_came(
    folder: Path, tmp_path: Path
) -> None:
    sounds = Path(shutil.copytree(folder, tmp_path / "sounds"))
    words = ("train", "diffsda-audio", "--out", tmp_path / "run", "--device", "cpu", "batch_size=4")
    seqdis(*words, "--data", sounds, "train.steps=1")
    for number in range(20):
        tone(sounds / f"new-{number}.wav", 300 + 10 * number, 1.0, 16000)
    seqdis(*words, "train.steps=2", "--resume")
    options = json.loads((tmp_path / "run" / "config.json").read_text())["data"]["options"]
    assert (options["sample_rate"], options["f_max"], options["n_fft"]) == (8000, 4000, 256)
    refused = CliRunner().invoke(app, [*map(str, words), "train.steps=3", "--resume", "sample_rate=16000"])
    assert refused.exit_code == 2
    assert "started with data.options.sample_rate = 8000, now it is 16000" in refused.stderr
