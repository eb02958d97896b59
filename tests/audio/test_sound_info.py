"""Files with bytes that are wrong: they are read as far as they go, or refused in one line, and cost little."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdis.audio.io import read_sound
from seqdis.audio.options import AudioOptions
from seqdis.audio.recording import open_sound
from seqdis.core.errors import InputError

Write = Callable[..., Path]
KINDS = [
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "FLOAT"),
    ("w64", "W64", "PCM_16"),
    ("rf64", "RF64", "PCM_16"),
    ("aiff", "AIFF", "PCM_16"),
    ("au", "AU", "PCM_16"),
    ("caf", "CAF", "PCM_16"),
    ("sph", "NIST", "PCM_16"),
    ("voc", "VOC", "PCM_16"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("suffix", "kind", "encoding"), KINDS)
def test_wrong_bytes_end_in_one_line_or_in_sound(
    tmp_path: Path, write_sound: Write, suffix: str, kind: str, encoding: str
) -> None:
    whole = write_sound(tmp_path / f"a.{suffix}", format=kind, subtype=encoding).read_bytes()
    chance, refused = random.Random(suffix), list[str]()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for trial in range(40):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            # Headers are where a byte says most.
            place = chance.randrange(min(len(content), chance.choice((64, 200, len(content)))))
            content[place] = chance.choice((0, 255, chance.randrange(256)))
        path = tmp_path / f"{trial}.{suffix}"
        path.write_bytes(content[: chance.randrange(len(content))] if trial % 4 == 0 else content)
        try:
            recording = open_sound(path, 80, AudioOptions())
            last = recording.steps
            assert bool(torch.isfinite(recording.take(torch.arange(max(0, last - 20), last)).frames).all())
        except InputError as error:
            refused.append(str(error))
    assert refused
    assert all(text.startswith(f"{tmp_path}/") and "\n" not in text for text in refused)
    assert time.process_time() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes


def test_an_empty_sound_and_a_missing_file(tmp_path: Path, write_sound: Write) -> None:
    write_sound(tmp_path / "a.wav", seconds=0.0)
    for read in (lambda path: open_sound(path, 80, AudioOptions()), read_sound):
        with pytest.raises(InputError, match=r"a\.wav: holds no samples$"):
            read(tmp_path / "a.wav")
        with pytest.raises(InputError, match=r"b\.wav: no such file$"):
            read(tmp_path / "b.wav")
        with pytest.raises(InputError, match=r": (cannot be read as sound: .*|no such file)$"):
            read(tmp_path)
