from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from seqdis.audio.preparation import audio_preparation
from seqdis.core.data.preparation import prepare_folder
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality

RATE = 16000


def _tone(
    path: Path, *, before: float, sound: float, after: float, channels: int = 1, noise: float = 0.0
) -> Path:
    """A tone of 440 Hz between two stretches of (nearly) silence, in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, last = round(before * RATE), round((before + sound) * RATE)
    wave = noise * np.random.default_rng(0).normal(size=round((before + sound + after) * RATE))
    wave[first:last] += 0.5 * np.sin(2 * np.pi * 440 * np.arange(last - first) / RATE)
    soundfile.write(path, np.stack([wave] * channels, axis=1), RATE, subtype="PCM_16")
    return path


def _made(source: Path, target: Path, **options: Any) -> tuple[np.ndarray, int, dict[str, Any]]:
    notes = audio_preparation(options).prepare(source, target)
    wave, rate = soundfile.read(target, dtype="float32")
    return wave, rate, dict(notes)


def test_silence_at_both_ends_is_cut_off_but_for_the_margin(tmp_path: Path) -> None:
    source = _tone(tmp_path / "in.wav", before=0.8, sound=1.0, after=0.6, noise=1e-4)
    wave, rate, notes = _made(source, tmp_path / "out.wav", margin=0.1)
    assert rate == RATE
    assert len(wave) / rate == pytest.approx(1.2, abs=0.041)  # to whole windows of 20 ms
    assert notes["cut_before"] == pytest.approx(0.7, abs=0.021)
    assert notes["cut_after"] == pytest.approx(0.5, abs=0.021)
    assert notes["seconds"] == len(wave) / rate
    original = soundfile.read(source, dtype="float32")[0]
    first = round(notes["cut_before"] * RATE)
    assert (wave == original[first : first + len(wave)]).all()


def test_what_counts_as_silence_is_relative_to_the_loudest(tmp_path: Path) -> None:
    source = _tone(tmp_path / "in.wav", before=0.5, sound=0.5, after=0.5, noise=0.02)  # 25 dB below the tone
    assert len(_made(source, tmp_path / "a.wav", margin=0, silence_db=40)[0]) == round(1.5 * RATE)
    assert len(_made(source, tmp_path / "b.wav", margin=0, silence_db=15)[0]) == pytest.approx(
        0.5 * RATE, abs=700
    )


def test_nothing_is_cut_off_where_that_is_not_wanted(tmp_path: Path) -> None:
    source = _tone(tmp_path / "in.wav", before=0.5, sound=0.5, after=0.5)
    assert len(_made(source, tmp_path / "out.wav", silence_db=None)[0]) == round(1.5 * RATE)


def test_channels_are_mixed_and_the_rate_is_changed(tmp_path: Path) -> None:
    source = _tone(tmp_path / "in.wav", before=0, sound=1, after=0, channels=2)
    wave, rate, _ = _made(source, tmp_path / "out.flac", sample_rate=8000, format="flac")
    assert (wave.ndim, rate, len(wave)) == (1, 8000, 8000)
    assert np.abs(np.fft.rfft(wave)).argmax() == 440


def test_a_folder_becomes_a_folder_and_what_is_silent_is_listed(tmp_path: Path) -> None:
    _tone(tmp_path / "in" / "ann" / "a.wav", before=0.5, sound=1, after=0.5)
    _tone(tmp_path / "in" / "bob" / "b.flac", before=0.5, sound=1, after=0.5)
    _tone(tmp_path / "in" / "bob" / "nothing.wav", before=1, sound=0, after=0)
    (tmp_path / "in" / "torn.wav").write_bytes((tmp_path / "in/ann/a.wav").read_bytes()[:9000])
    result = prepare_folder(get_modality("audio"), tmp_path / "in", tmp_path / "out", {}, workers=1)
    assert sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.wav")
    ) == [
        "ann/a.wav",
        "bob/b.wav",
    ]
    assert [one.source for one in result.failed] == ["bob/nothing.wav", "torn.wav"]
    assert result.failed[0].reason == "every sample is 0: there is nothing but silence"
    assert "truncated" in result.failed[1].reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"silence_db": 0}, "key 'silence_db' is 0, but"),
        ({"margin": -1}, "key 'margin' is -1, but"),
        ({"sample_rate": 10}, "key 'sample_rate' is 10, but"),
        ({"format": "mp3"}, "key 'format' is 'mp3', but: Input should be 'wav' or 'flac'"),
        ({"mono": True}, "unknown key 'mono'; allowed: silence_db, margin, sample_rate, format"),
    ],
)
def test_bad_options_are_told(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^audio preparation: {message}"):
        get_modality("audio").preparation(options)
