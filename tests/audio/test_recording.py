"""A sound file of which a few frames are read, in every kind of file."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seqdis.audio.frame_cache import FRAMES
from seqdis.audio.io import read_segment, read_wave
from seqdis.audio.mel import log_mel
from seqdis.audio.options import AudioOptions
from seqdis.audio.recording import AudioRecording, open_sound
from seqdis.core.data.loader import BatchPlan, training_batches
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.errors import InputError

Write = Callable[..., Path]
OPTIONS = AudioOptions()
# Suffix, sample rate, arguments for libsndfile.
KINDS = [
    (".wav", 16000, {}),
    (".wav", 16000, {"subtype": "PCM_24"}),
    (".wav", 16000, {"subtype": "FLOAT"}),
    (".wav", 8000, {}),
    (".wav", 11025, {}),
    (".wav", 22050, {}),
    (".wav", 44100, {}),
    (".wav", 48000, {}),
    (".wav", 44101, {}),
    (".flac", 16000, {}),
    (".flac", 44100, {}),
    (".aiff", 16000, {}),
    (".w64", 16000, {}),
    (".caf", 48000, {}),
    (".au", 16000, {}),
    (".ogg", 16000, {"format": "OGG", "subtype": "VORBIS"}),
    (".ogg", 22050, {"format": "OGG", "subtype": "VORBIS"}),
    (".opus", 48000, {"format": "OGG", "subtype": "OPUS"}),
    (".mp3", 16000, {}),
    (".mp3", 44100, {}),
]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    FRAMES.clear()
    yield
    FRAMES.clear()


@pytest.fixture
def read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every recording were too long to be kept."""
    monkeypatch.setattr("seqdis.audio.recording._LARGEST_KEPT", 0)


@pytest.mark.parametrize(("suffix", "rate", "arguments"), KINDS)
@pytest.mark.parametrize("seconds", [0.005, 0.1, 1.3])
@pytest.mark.usefixtures("read_in_parts")
def test_any_steps_are_those_of_the_whole_analysis(
    tmp_path: Path, write_sound: Write, suffix: str, rate: int, arguments: dict[str, str], seconds: float
) -> None:
    path = write_sound(tmp_path / f"a{suffix}", seconds=seconds, rate=rate, **arguments)
    recording = open_sound(path, 80, OPTIONS)
    whole = log_mel(80, OPTIONS)(read_wave(path, 16000))
    assert recording.steps == len(whole)  # known without reading
    assert recording.frame_shape == (80,)
    assert recording.in_parts == (rate == 16000 and suffix not in (".mp3", ".ogg", ".opus"))
    assert torch.equal(recording.whole().frames, whole)
    for first in range(0, len(whole), 13):
        steps = torch.arange(first, min(first + 20, len(whole)))
        assert torch.equal(recording.take(steps).frames, whole[steps])
    spread = torch.arange(0, len(whole), 7)
    assert torch.equal(recording.take(spread).frames, whole[spread])


@pytest.mark.parametrize("rate", [16000, 44100])
def test_what_is_kept_is_what_is_read(
    tmp_path: Path, write_sound: Write, rate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = open_sound(write_sound(tmp_path / "a.wav", rate=rate), 80, OPTIONS)
    steps = torch.arange(5, 40)
    kept = recording.take(steps).frames
    assert len(FRAMES) == 1
    FRAMES.clear()
    monkeypatch.setattr("seqdis.audio.recording._LARGEST_KEPT", 0)
    assert torch.equal(recording.take(steps).frames, kept)
    # What can be read in parts is not kept then; what cannot is, or each step would cost the whole file.
    assert len(FRAMES) == (0 if rate == 16000 else 1)


def test_a_file_that_is_read_whole_is_decoded_once(
    tmp_path: Path, write_sound: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = open_sound(write_sound(tmp_path / "a.mp3"), 80, OPTIONS)
    decoded = []

    def counting(path: Path, rate: int) -> torch.Tensor:
        decoded.append(path)
        return read_wave(path, rate)

    monkeypatch.setattr("seqdis.audio.recording.read_wave", counting)
    for first in range(10):
        recording.take(torch.arange(first, first + 10))
    assert len(decoded) == 1


def test_a_window_of_a_long_recording_costs_its_own_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, minutes = tmp_path / "long.wav", 30
    with soundfile.SoundFile(path, "w", 16000, 1, subtype="PCM_16") as file:
        for _ in range(minutes):
            file.write(np.zeros(16000 * 60, dtype=np.int16))
    read = []

    def counting(path: Path, first: int, last: int, rate: int, *, trusted: bool) -> torch.Tensor:
        read.append(last - first)
        return read_segment(path, first, last, rate, trusted=trusted)

    monkeypatch.setattr("seqdis.audio.recording.read_segment", counting)
    tracemalloc.start()
    recording = open_sound(path, 80, OPTIONS)
    assert recording.steps == 1 + minutes * 60 * 16000 // 136
    assert recording.take(torch.arange(100_000, 100_068)).frames.shape == (68, 80)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert read == [67 * 136 + 512]


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_a_step_is_dated_in_seconds(tmp_path: Path, rate: int) -> None:
    # A click at half a second is loudest in the frame whose stamp is half a second.
    wave = np.zeros(rate)
    wave[rate // 2] = 1.0
    soundfile.write(tmp_path / "a.wav", wave, rate)
    recording = open_sound(tmp_path / "a.wav", 80, OPTIONS)
    clip = recording.whole()
    assert recording.dated
    assert clip.stamps is not None
    assert clip.stamps.dtype == np.float64
    loudest = int(clip.frames.logsumexp(1).argmax())
    assert abs(clip.stamps[loudest] - 0.5) <= 0.0085
    np.testing.assert_allclose(clip.stamps, 0.0085 * np.arange(recording.steps), rtol=1e-12)
    part = recording.take(torch.tensor([3, 7])).stamps
    assert part is not None
    np.testing.assert_array_equal(part, clip.stamps[[3, 7]])


def test_it_travels_to_other_processes_and_keeps_no_file_open(tmp_path: Path, write_sound: Write) -> None:
    recording = open_sound(write_sound(tmp_path / "a.flac"), 80, OPTIONS)
    recording.take(torch.arange(3))
    content = pickle.dumps(recording)
    assert len(content) < 5000
    again: AudioRecording = pickle.loads(content)
    assert again == recording
    FRAMES.clear()
    assert torch.equal(again.whole().frames, recording.whole().frames)


def test_one_that_was_written_anew_is_another(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.wav")
    first = open_sound(path, 80, OPTIONS)
    assert open_sound(path, 80, OPTIONS).identity() == first.identity()
    old = first.whole().frames
    write_sound(path, hertz=900.0)
    second = open_sound(path, 80, OPTIONS)
    assert second.identity() != first.identity()
    assert not torch.equal(second.whole().frames, old)


def test_names_and_labels(tmp_path: Path, write_sound: Write) -> None:
    recording = open_sound(write_sound(tmp_path / "a.wav"), 80, OPTIONS)
    assert recording.key == "a.wav"
    named = recording.named("anna/a.wav", {"speaker": "anna"})
    clip = named.take(torch.arange(4))
    assert (clip.key, clip.labels) == ("anna/a.wav", {"speaker": "anna"})
    assert replace(named, key="a.wav", labels=None) == recording


def test_what_the_file_says_of_itself(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((11025, 2)), 22050)
    recording = open_sound(tmp_path / "a.wav", 80, OPTIONS)
    assert recording.about() == {"seconds": 0.5, "samples a second": 22050, "channels": 2}


def test_a_file_that_shrinks_after_it_was_opened(
    tmp_path: Path, write_sound: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdis.audio.recording._LARGEST_KEPT", 0)
    path = write_sound(tmp_path / "a.wav", seconds=2.0)
    recording = open_sound(path, 80, OPTIONS)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(InputError, match=r"a\.wav: is (damaged or )?truncated"):
        recording.take(torch.arange(recording.steps - 10, recording.steps))


def test_processes_that_read_ahead_give_the_same_batches(tmp_path: Path, write_sound: Write) -> None:
    for name, rate in (("a.wav", 16000), ("b.mp3", 16000), ("c.flac", 44100), ("d.wav", 8000)):
        write_sound(tmp_path / name, rate=rate, seconds=1.0)
    opened = [open_sound(path, 80, OPTIONS) for path in sorted(tmp_path.iterdir())]
    windows = RandomWindows(opened, 30, seed=3)
    plan = BatchPlan(len(windows), 4)
    alone, ahead = ([*training_batches(windows, plan, start=0, stop=5, workers=n)] for n in (0, 2))
    for one, other in zip(alone, ahead, strict=True):
        assert one.keys == other.keys
        assert torch.equal(one.x, other.x)
        assert one.stamps is not None
        assert other.stamps is not None
        np.testing.assert_array_equal(one.stamps, other.stamps)
