"""Sounds whose headers claim what their size does not make likely."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqdis.audio.io import read_wave
from seqdis.audio.sound_info import sound_info
from seqdis.core.errors import InputError

CASES = Path(__file__).parents[1] / "cases" / "21-claims-too-much"


def at_rate(path: Path, rate: int) -> Path:
    """A wav of half a second of noise whose header names any rate."""
    samples = np.random.default_rng(0).integers(-9000, 9000, 8000).astype(np.int16)
    soundfile.write(path, samples, 16000)
    content = bytearray(path.read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("rate", [1, 999, 999_983, 2**31 - 1])
def test_a_rate_that_nothing_has_is_refused(tmp_path: Path, rate: int) -> None:
    message = rf"its header says {rate} Hz; allowed: 1000 to 768000 Hz$"
    with pytest.raises(InputError, match=message):
        sound_info(at_rate(tmp_path / "x.wav", rate))


def test_the_case_of_one_hertz() -> None:
    with pytest.raises(InputError, match=r"rate1\.wav: its header says 1 Hz; allowed: "):
        read_wave(CASES / "rate1.wav", 16000)


@pytest.mark.parametrize("rate", [1009, 44056, 65521, 767_957])
def test_a_rate_without_a_common_divisor_takes_little_memory(tmp_path: Path, rate: int) -> None:
    path = at_rate(tmp_path / "x.wav", rate)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(read_wave(path, 16000)) == -(-8000 * 16000 // rate)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000  # kB


def test_silence_that_packs_into_next_to_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.flac"
    soundfile.write(path, np.zeros(400_000, np.int16), 48000)
    monkeypatch.setenv("SEQDIS_LIMITS", "content=1000")
    for read in (sound_info, _at_16_kHz):
        with pytest.raises(InputError, match=r"samples.* in a file of \d+ bytes; allowed: \d+, or a larger "):
            read(path)
    monkeypatch.setenv("SEQDIS_LIMITS", "samples=400")
    assert sound_info(path).samples == 400_000


_at_16_kHz: Callable[[Path], object] = lambda path: read_wave(path, 16000)  # noqa: E731


def test_a_low_rate_is_resampled_as_far_as_its_size_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = at_rate(tmp_path / "x.wav", 1000)
    monkeypatch.setenv("SEQDIS_LIMITS", "content=1000,samples=50")
    assert len(read_wave(path, 16000)) == 16 * 8000
    with pytest.raises(InputError, match="samples of 192000 Hz or more in a file of"):
        read_wave(path, 192_000)


def test_a_playlist_under_the_name_of_a_sound_names_no_other_file(
    tmp_path: Path, write_sound: Callable[..., Path]
) -> None:
    pytest.importorskip("av")
    write_sound(tmp_path / "other.wav")
    for text in (
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.wav\n",
        "ffconcat version 1.0\nfile other.wav\n",
    ):
        path = tmp_path / "x.m4a"
        path.write_text(text)
        with pytest.raises(InputError, match=r"x\.m4a: cannot be read as sound"):
            sound_info(path)
