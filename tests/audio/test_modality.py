"""What the audio package plugs into core."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile
import torch

from seqdis.audio.io import read_wave
from seqdis.audio.libav import LIBAV_EXTRA
from seqdis.audio.mel import log_mel
from seqdis.audio.modality import AudioModality
from seqdis.audio.options import AudioOptions
from seqdis.audio.sound_file import SOUNDFILE_SUFFIXES
from seqdis.core.config import DataConfig
from seqdis.core.data.discovery import describe_left_out, find_inputs
from seqdis.core.data.folder import folder_sequences
from seqdis.core.data.folder_content import folder_content
from seqdis.core.data.normalize import Normalizer
from seqdis.core.errors import InputError
from seqdis.core.modality import Panel
from seqdis.core.registry import get_modality, get_preset

Write = Callable[..., Path]
Data = Callable[..., DataConfig]
CASES = Path(__file__).parents[1] / "cases"


@pytest.fixture
def audio() -> AudioModality:
    return AudioModality()


def test_the_registry_finds_it() -> None:
    modality = get_modality("audio")
    assert isinstance(modality, AudioModality)
    assert modality.demo() == "diffsda-tones"
    assert set(modality.datasets()) == {"tones", "arabic_speech_commands", "librispeech", "timit"}


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_a_file_is_read_as_frames(audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data, kind: str) -> None:  # fmt: skip
    clip = audio.read(write_sound(tmp_path / f"a.{kind}", seconds=1.0), speech_data("folder"))
    assert clip.frames.shape == (118, 80)
    assert clip.key == f"a.{kind}"


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_what_is_written_reads_back_close(audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data, kind: str) -> None:  # fmt: skip
    data = speech_data("folder")
    frames = audio.read(write_sound(tmp_path / "a.wav", seconds=0.6), data).frames[:68]
    audio.write(tmp_path / f"b.{kind}", frames, data)
    again = audio.read(tmp_path / f"b.{kind}", data).frames
    assert again.shape == (68, 80)
    assert torch.corrcoef(torch.stack([frames.flatten(), again.flatten()]))[0, 1] > 0.9


def test_npy_holds_the_frames_themselves(audio: AudioModality, tmp_path: Path, speech_data: Data) -> None:
    frames = torch.randn(5, 80)
    audio.write(tmp_path / "a.npy", frames, speech_data("folder"))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", allow_pickle=False), frames.numpy())


def test_frames_sound_as_what_is_written(audio: AudioModality, tmp_path: Path, speech_data: Data) -> None:
    data, frames = speech_data("folder"), torch.randn(20, 80)
    sound = audio.to_sound(frames, data)
    assert (sound.rate, len(sound.samples)) == (16000, 19 * AudioOptions().hop)
    audio.write(tmp_path / "a.wav", frames, data)
    wave = read_wave(tmp_path / "a.wav", 16000)
    torch.testing.assert_close(
        wave, sound.samples / sound.samples.abs().max().clamp(min=1), atol=1e-4, rtol=0
    )


def test_a_folder_of_ones_own_files(audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data) -> None:  # fmt: skip
    for i in range(3):
        write_sound(tmp_path / f"{i}.flac", seconds=1.0, hertz=300.0 + 100 * i)
    assert folder_sequences(audio, speech_data("folder", length=20), "train", tmp_path).shape == (20, 80)
    write_sound(tmp_path / "short.wav", seconds=0.1)
    dataset = folder_sequences(audio, speech_data("folder", length=20), "train", tmp_path)
    short = dataset.fetch([len(dataset) - 1])
    assert short.keys == ["short.wav"]
    assert short.mask is not None
    assert int(short.mask.sum()) == 12  # 1 + 1600 // 136
    assert not short.x[0, 12:].any()


def test_one_short_file_among_others_is_padded(
    audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    # 0.1 s at 22.05 kHz, as people have it: 1600 samples at 16 kHz.
    clip = audio.read(write_sound(tmp_path / "a.wav", seconds=0.1, rate=22050), speech_data("folder"))
    assert len(clip.frames) == 12
    # Shorter than a window and even than the mirror at its edges: what has sound has a step.
    assert len(audio.read(write_sound(tmp_path / "b.wav", seconds=0.001), speech_data("folder")).frames) == 1


def test_min_length_speaks_of_the_shortest(
    audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    for name, seconds in {"long": 1.0, "short": 0.1, "tiny": 0.001}.items():
        write_sound(tmp_path / f"{name}.wav", seconds=seconds)
    for least, expected in {1: 3, 2: 2, 12: 2, 13: 1}.items():
        data = speech_data("folder").model_copy(update={"min_length": least})
        content = folder_content(audio, data, tmp_path)
        assert len(content.recordings) == expected
        assert all(left.reason == "short" for left in content.left_out)


def test_damaged_files_are_listed_or_left_out(
    audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    write_sound(tmp_path / "good.wav")
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    cut = write_sound(tmp_path / "cut.mp3")
    cut.write_bytes(cut.read_bytes()[:-300])
    soundfile.write(tmp_path / "nan.wav", np.full(9000, np.nan), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "void.wav", np.zeros(0), 16000)
    with pytest.raises(
        InputError, match=r"^4 of 5 files cannot be used \(skip_bad=true[^\n]*void\.wav[^\n]*$"
    ):
        folder_content(audio, speech_data("folder"), tmp_path)
    data = speech_data("folder").model_copy(update={"skip_bad": True})
    content = folder_content(audio, data, tmp_path)
    assert [one.key for one in content.recordings] == ["good.wav"]
    assert {left.path.name for left in content.left_out} == {"bad.wav", "cut.mp3", "nan.wav", "void.wav"}


def test_all_that_can_be_opened_is_found(
    audio: AudioModality, tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    shutil.copytree(CASES / "10-other-audio", tmp_path / "others")
    write_sound(tmp_path / "a.wav")
    write_sound(tmp_path / "b.AIFF")
    write_sound(tmp_path / "c.w64")
    (tmp_path / "notes.doc").write_text("x")
    found = find_inputs(audio, [tmp_path])
    names = [path.name for path in found.paths]
    assert names == ["a.wav", "b.AIFF", "c.w64", "05.mp3", "08.opus"]
    assert [(left.path.name, left.reason) for left in found.left_out] == [("notes.doc", "kind")]
    for path in found.paths:
        clip = audio.read(path, speech_data("folder"))
        assert len(clip.frames) > 50
        assert float(clip.frames.std()) > 0.5


def test_a_folder_of_videos_is_not_first_of_all_sound(audio: AudioModality) -> None:
    assert ".mp4" in audio.incidental
    assert {".wav", ".mp3", ".m4a"}.isdisjoint(audio.incidental)


def test_what_needs_more_is_named_with_the_way_to_it(
    audio: AudioModality, tmp_path: Path, write_sound: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AudioModality, "reads", SOUNDFILE_SUFFIXES)
    monkeypatch.setattr(AudioModality, "installable", {".m4a": LIBAV_EXTRA})
    write_sound(tmp_path / "a.wav")
    (tmp_path / "b.m4a").write_bytes(b"x")
    assert describe_left_out(find_inputs(audio, [tmp_path]).left_out) == [
        "1 files of other kinds: 1 .m4a (pip install 'seqdis-audio[av]')"
    ]
    with pytest.raises(
        InputError, match=r"kind of file '\.m4a' \(pip install 'seqdis-audio\[av\]'\); audio reads"
    ):
        find_inputs(audio, [tmp_path / "b.m4a"])


def test_silence_is_constant_and_a_model_cannot_learn_from_it_alone(
    audio: AudioModality, tmp_path: Path, speech_data: Data
) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    clip = audio.read(tmp_path / "a.wav", speech_data("folder"))
    torch.testing.assert_close(clip.frames, torch.full((118, 80), math.log(1e-7)))
    dataset = folder_sequences(audio, speech_data("folder", length=20), "train", tmp_path)
    with pytest.raises(InputError, match="normalizer: the training data are constant"):
        Normalizer((80,)).fit(dataset)


def test_a_picture_of_panels_of_unlike_length(
    audio: AudioModality, tmp_path: Path, speech_data: Data
) -> None:
    data = speech_data("folder")
    grid = [
        [Panel("one", torch.randn(68, 80)), Panel("two", torch.randn(30, 80))],
        [Panel("three", torch.zeros(9, 80))],
    ]
    for name in ("a.png", "b.png"):
        audio.draw(tmp_path / name, grid, data)
    picture = matplotlib.image.imread(tmp_path / "a.png")
    assert picture.shape[0] > 300
    assert picture.shape[1] > 600
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 100
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_panel_gone_astray_leaves_the_others_readable(
    audio: AudioModality, tmp_path: Path, speech_data: Data
) -> None:
    good = Panel("good", torch.linspace(-12, 2, 30)[:, None].expand(30, 80))
    for name, other in (("a.png", torch.full((30, 80), 1e5)), ("b.png", torch.full((30, 80), 6.0))):
        audio.draw(tmp_path / name, [[good], [Panel("other", other)]], speech_data("folder"))
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_frequency_axis_names_the_bands_that_ring(speech_data: Data) -> None:
    from seqdis.audio.plot import band_centres

    centres = band_centres(80, AudioOptions())
    assert bool((centres.diff() > 0).all())
    for hertz in (500.0, 2000.0):
        wave = torch.sin(2 * torch.pi * hertz / 16000 * torch.arange(8000))
        loudest = int(log_mel(80, AudioOptions())(wave)[20:-20].mean(0).argmax())
        assert abs(int((centres - hertz).abs().argmin()) - loudest) <= 1


def test_messages(audio: AudioModality, tmp_path: Path, speech_data: Data) -> None:
    data = speech_data("folder")
    (tmp_path / "a.doc").write_bytes(b"x")
    with pytest.raises(
        InputError, match=r"audio cannot read '\.doc'; allowed: \.wav, \.flac, \.ogg, \.mp3, "
    ):
        audio.read(tmp_path / "a.doc", data)
    with pytest.raises(InputError, match=r"audio cannot write '\.csv'; allowed: \.wav, \.flac, \.npy$"):
        audio.write(tmp_path / "a.csv", torch.zeros(9, 80), data)
    with pytest.raises(InputError, match=r"audio cannot draw '\.gif'; allowed: \.png$"):
        audio.draw(tmp_path / "a.gif", [], data)
    with pytest.raises(InputError, match="needs at least one panel; got none"):
        audio.draw(tmp_path / "a.png", [], data)
    with pytest.raises(InputError, match=r"panel 'x': frames \(3,\); allowed: \(T, bins\)"):
        audio.draw(tmp_path / "a.png", [[Panel("x", torch.zeros(3))]], data)
    with pytest.raises(InputError, match=r"frame_shape is \(3, 64, 64\); allowed: \(mel bins,\)"):
        audio.options(get_preset("diffsda-arabic").data.model_copy(update={"frame_shape": (3, 64, 64)}))
    with pytest.raises(InputError, match="mel bins hold no frequency"):
        audio.options(data.model_copy(update={"frame_shape": (300,)}))
