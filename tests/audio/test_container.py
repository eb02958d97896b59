"""Files that end before their header says, in every kind of container."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqdis.audio.container import is_cut_off
from seqdis.audio.io import read_sound
from seqdis.audio.sound_info import sound_info
from seqdis.core.errors import InputError

Write = Callable[..., Path]

# Suffix, format and encoding for libsndfile.
KINDS = [
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAVEX", "FLOAT"),
    ("wav", "WAV", "IMA_ADPCM"),
    ("rf64", "RF64", "PCM_16"),
    ("w64", "W64", "PCM_24"),
    ("aiff", "AIFF", "PCM_16"),
    ("aifc", "AIFF", "ULAW"),
    ("svx", "SVX", "PCM_16"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
    ("caf", "CAF", "ALAC_16"),
    ("sph", "NIST", "PCM_16"),
    ("sph", "NIST", "ULAW"),
    ("voc", "VOC", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("suffix", "kind", "encoding"), KINDS)
def test_a_whole_file_is_not_cut_off(tmp_path: Path, write_sound: Write, suffix: str, kind: str, encoding: str) -> None:  # fmt: skip
    path = write_sound(tmp_path / f"a.{suffix}", format=kind, subtype=encoding)
    assert not is_cut_off(path)
    assert sound_info(path).samples == len(read_sound(path).samples)


@pytest.mark.parametrize(("suffix", "kind", "encoding"), KINDS)
@pytest.mark.parametrize("left", [0.4, 0.9, -1])
def test_a_file_without_its_end_is_refused_when_it_is_opened(
    tmp_path: Path, write_sound: Write, suffix: str, kind: str, encoding: str, left: float
) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", seconds=2.0, format=kind, subtype=encoding)
    content = path.read_bytes()
    if left == -1 and kind == "VOC":
        pytest.skip("the last byte of a voc is no sample")
    path.write_bytes(content[: round(left * len(content))] if left > 0 else content[:-1])
    for read in (sound_info, read_sound):
        with pytest.raises(InputError, match=rf"^{path}: [^\n]+$") as caught:
            read(path)
        assert "truncated" in str(caught.value) or "malformed" in str(caught.value)


def test_what_stands_before_and_behind_the_samples_does_not_matter(
    tmp_path: Path, write_sound: Write
) -> None:
    plain = write_sound(tmp_path / "a.wav").read_bytes()
    note = b"note" + (5).to_bytes(4, "little") + b"hello\0"
    at = plain.index(b"data")
    path = tmp_path / "b.wav"
    content = bytearray(plain[:at] + note + plain[at:] + note)
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    path.write_bytes(content)
    assert sound_info(path).samples == sound_info(tmp_path / "a.wav").samples
    path.write_bytes(content[: at + len(note) + 200])
    with pytest.raises(InputError, match="truncated"):
        sound_info(path)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF])
def test_a_wav_from_a_pipe_leaves_its_size_open(tmp_path: Path, write_sound: Write, size: int) -> None:
    path = write_sound(tmp_path / "a.wav")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert sound_info(path).samples == 11200


def test_an_au_may_leave_its_size_open(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.au")
    content = bytearray(path.read_bytes())
    content[8:12] = b"\xff" * 4
    path.write_bytes(content)
    assert sound_info(path).samples == 11200


def test_byte_orders(tmp_path: Path) -> None:
    wave = np.linspace(-0.5, 0.5, 3000)
    for endian, start in (("BIG", b"RIFX"), ("LITTLE", b"RIFF")):
        path = tmp_path / f"{endian}.wav"
        soundfile.write(path, wave, 16000, endian=endian)
        content = path.read_bytes()
        assert content.startswith(start)
        assert not is_cut_off(path)
        path.write_bytes(content[:-1000])
        assert is_cut_off(path)
