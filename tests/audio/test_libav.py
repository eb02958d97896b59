"""Sound that needs FFmpeg's libraries: m4a, wma, and the sound of videos."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.audio.io import read_sound
from seqdis.audio.libav import LIBAV_SUFFIXES
from seqdis.audio.options import AudioOptions
from seqdis.audio.recording import open_sound
from seqdis.audio.sound_info import sound_info
from seqdis.core.errors import InputError

av = pytest.importorskip("av", reason="the extra 'av' is not installed")

Write = Callable[..., Path]


def encode(
    path: Path, codec: str, *, rate: int = 16000, channels: int = 1, seconds: float = 1.5
) -> np.ndarray:
    """A tone that grows louder, and its samples ``(channels, N)``."""
    time = np.arange(round(rate * seconds)) / rate
    tone = 0.3 * time / seconds * np.sin(2 * np.pi * 440 * time)
    wave = np.stack([tone, 0.5 * tone][:channels]).astype(np.float32)
    kind = {".mka": "matroska", ".wma": "asf"}.get(path.suffix)
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo" if channels == 2 else "mono")
        stream.bit_rate = 64000
        resampler = av.AudioResampler(format=stream.format, layout=stream.layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return wave


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".m4a", "aac"), (".mp4", "aac"), (".mov", "aac"), (".mka", "flac"), (".mkv", "aac"), (".wma", "wmav2"),
     (".webm", "libopus"), (".aac", "aac"), (".ac3", "ac3")],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_the_sound_comes_back(tmp_path: Path, suffix: str, codec: str, channels: int) -> None:
    path = tmp_path / f"a{suffix}"
    rate = 48000 if codec in ("libopus", "ac3") else 16000 if codec != "wmav2" else 22050
    wave = encode(path, codec, rate=rate, channels=channels)
    sound, info = read_sound(path), sound_info(path)
    assert (sound.rate, info.rate, info.channels, info.exact) == (rate, rate, channels, False)
    assert info.samples == len(sound.samples)
    assert abs(len(sound.samples) - wave.shape[1]) <= 4096  # codecs pad
    expected = torch.from_numpy(wave.mean(axis=0))
    # Codecs that do not tell their delay are late by some samples: the best match within it.
    count = min(len(expected), len(sound.samples)) - 4096
    delays = range(4096 if suffix in (".wma", ".aac", ".ac3") else 1)
    pairs = [torch.stack([sound.samples[late:][:count], expected[:count]]) for late in delays]
    best = max(float(torch.corrcoef(pair)[0, 1]) for pair in pairs)
    assert best > 0.97
    assert 0.8 < float(sound.samples.abs().max() / expected.abs().max()) < 1.25


def test_a_recording_knows_its_steps_and_its_frames(tmp_path: Path) -> None:
    encode(tmp_path / "a.m4a", "aac", rate=44100)
    recording = open_sound(tmp_path / "a.m4a", 80, AudioOptions())
    whole = recording.whole()
    assert len(whole.frames) == recording.steps
    assert torch.equal(recording.take(torch.arange(10, 20)).frames, whole.frames[10:20])


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"a\.mp4: holds no sound$"):
        sound_info(tmp_path / "a.mp4")


@pytest.mark.parametrize("suffix", [".m4a", ".mkv"])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_file_without_its_end_is_refused(tmp_path: Path, suffix: str, share: float) -> None:
    encode(tmp_path / f"a{suffix}", "aac", seconds=5.0)
    content = (tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"a{suffix}").write_bytes(content[: round(share * len(content))])
    with pytest.raises(InputError, match=rf"^[^\n]*a\{suffix}: [^\n]+$"):
        sound_info(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", LIBAV_SUFFIXES)
@pytest.mark.parametrize("content", [b"", b"not a sound\n" * 100], ids=["empty", "text"])
def test_a_file_that_is_no_sound_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^{path}: [^\n]+$"):
        sound_info(path)


def test_without_pyav_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode(tmp_path / "a.m4a", "aac")
    monkeypatch.setattr("seqdis.audio.libav.has_libav", lambda: False)
    with pytest.raises(
        InputError, match=r"a\.m4a: \.m4a needs PyAV; allowed: wav, .* or pip install 'seqdis-audio\[av\]'$"
    ):
        read_sound(tmp_path / "a.m4a")
