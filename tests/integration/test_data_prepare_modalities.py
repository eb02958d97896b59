"""A folder of files of any modality is prepared, checked and learnt from by one command each."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.modality_choice import modality_of
from seqdis.core.registry import get_modality


def _seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def _clip(path: Path, *, pictures: int = 20) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(path)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        heard = container.add_stream("aac", rate=16000)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(pictures):
            pixels = rng.integers(0, 256, (64, 96, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
        samples = rng.integers(-9000, 9000, (1, 1600 * pictures), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.rate, frame.pts = 16000, 0
        container.mux(heard.encode(frame))
        container.mux(heard.encode(None))


def _sound(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    wave = np.zeros(32000, dtype=np.float32)
    wave[8000:24000] = np.random.default_rng(len(str(path))).normal(scale=0.2, size=16000)
    soundfile.write(path, wave, 16000)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_videos_with_sound_are_videos(tmp_path: Path, suffix: str) -> None:
    _clip(tmp_path / f"a{suffix}")
    assert modality_of([tmp_path]).name == "video"
    assert suffix in get_modality("video").reads


@pytest.mark.parametrize(
    ("make", "suffix", "options", "preset"),
    [
        (_clip, ".mov", ["crop=centre", "size=32"], "diffsda-video"),
        (_sound, ".wav", ["margin=0.05"], "diffsda-audio"),
    ],
)
def test_a_folder_is_prepared_checked_and_planned(
    tmp_path: Path, make: object, suffix: str, options: list[str], preset: str
) -> None:
    assert callable(make)
    for name in ("ann/1", "ann/2", "bob/1"):
        make(tmp_path / "raw" / f"{name}{suffix}")
    rows = {f"{name}{suffix}": {"who": name[:3]} for name in ("ann/1", "ann/2", "bob/1")}
    (tmp_path / "raw" / "labels.json").write_text(json.dumps({"labels": {"who": "static"}, "clips": rows}))
    (tmp_path / "raw" / f"torn{suffix}").write_bytes((tmp_path / "raw" / f"ann/1{suffix}").read_bytes()[:400])
    done = _seqdis("data", "prepare", tmp_path / "raw", tmp_path / "ready", *options, "--workers", 1)
    assert done.exit_code == 1, done.output
    assert f"3 prepared, 1 failed ({tmp_path / 'ready' / 'failed.json'})" in done.stdout
    report = json.loads(_seqdis("data", "check", tmp_path / "ready", "--json").stdout)
    assert report["recordings"] == 3
    assert report["left_out"] == []
    plan = _seqdis("train", preset, "length=4", "--data", tmp_path / "ready", "--dry-run", "--json")
    assert plan.exit_code == 0, plan.output
    assert json.loads(plan.stdout)["windows_per_epoch"] >= 3


def test_series_are_learnt_from_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    np.save(tmp_path / "raw" / "a.npy", np.zeros((20, 3)))
    done = _seqdis("data", "prepare", tmp_path / "raw", tmp_path / "ready", "--modality", "timeseries")
    assert done.exit_code == 2
    assert done.stderr == (
        "error: timeseries: files of this kind need no preparation; they are learnt from as they are\n"
    )
    assert not (tmp_path / "ready").exists()
