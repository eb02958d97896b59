"""Files in and out, and the ways in which they can be bad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seqdis.audio.io import read_segment, read_sound, read_wave, write_wave
from seqdis.audio.sound_file import SOUNDFILE_SUFFIXES
from seqdis.audio.sound_info import SoundInfo, sound_info
from seqdis.core.errors import InputError

Write = Callable[..., Path]
CASES = Path(__file__).parents[1] / "cases"


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_pcm_comes_back(tmp_path: Path, suffix: str) -> None:
    wave = torch.rand(5000, generator=torch.Generator().manual_seed(0)) * 1.8 - 0.9
    write_wave(tmp_path / f"a{suffix}", wave, 16000)
    torch.testing.assert_close(read_wave(tmp_path / f"a{suffix}", 16000), wave, atol=1 / 32768, rtol=0)


def test_ogg_comes_back_roughly(tmp_path: Path, write_sound: Write) -> None:
    wav, ogg = (read_wave(write_sound(tmp_path / f"a{kind}"), 16000) for kind in (".wav", ".ogg"))
    assert torch.corrcoef(torch.stack([wav, ogg]))[0, 1] > 0.98


def test_what_exceeds_full_scale_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    wave = torch.linspace(-3, 3, 1001)
    write_wave(tmp_path / "a.wav", wave, 16000)
    torch.testing.assert_close(read_wave(tmp_path / "a.wav", 16000), wave / 3, atol=1e-4, rtol=0)


def test_two_writes_are_identical(tmp_path: Path) -> None:
    wave = torch.rand(1000)
    for name in ("a.flac", "b.flac", "a.wav", "b.wav"):
        write_wave(tmp_path / name, wave, 16000)
    for kind in ("flac", "wav"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_channels_are_averaged(tmp_path: Path) -> None:
    stereo = np.stack([np.full(600, 0.5), np.full(600, -0.25)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 16000, subtype="FLOAT")
    torch.testing.assert_close(read_wave(tmp_path / "a.wav", 16000), torch.full((600,), 0.125))


def test_another_rate_is_resampled(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.wav", rate=44100, hertz=1000.0)
    wave = read_wave(path, 16000)
    assert len(wave) == 11200  # 0.7 s
    spectrum = torch.fft.rfft(wave).abs()
    assert abs(int(spectrum.argmax()) * 16000 / 11200 - 1000) < 2


def test_a_segment_is_that_part_of_the_whole(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.flac")
    assert sound_info(path).samples == 11200
    assert torch.equal(read_segment(path, 1000, 3000, 16000), read_wave(path, 16000)[1000:3000])


def test_a_flac_of_unstated_length_is_counted(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.flac")
    whole = read_sound(path).samples
    content = bytearray(path.read_bytes())
    # The 36 bits of STREAMINFO's total are 0 for "unknown" in a stream.
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert sound_info(path) == SoundInfo(11200, 16000, 1, exact=False)
    assert torch.equal(read_sound(path).samples, whole)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.flac: is damaged or truncated: "):
        sound_info(path)


def test_a_flac_that_declares_more_than_it_holds_is_refused(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    total = int.from_bytes(content[22:26])
    content[22:26] = (total + 5000).to_bytes(4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.flac: is (damaged or )?truncated: "):
        read_wave(path, 16000)


@pytest.mark.parametrize("kind", [kind.removeprefix(".") for kind in SOUNDFILE_SUFFIXES])
@pytest.mark.parametrize("content", [b"", b"not a sound\n" * 100], ids=["empty", "text"])
def test_a_file_that_is_no_sound_is_refused(tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / f"a.{kind}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^{path}: cannot be read as sound: [^\n]+$"):
        read_wave(path, 16000)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    wave = np.zeros(1000, dtype=np.float32)
    wave[17:19] = bad
    soundfile.write(tmp_path / "a.wav", wave, 16000, subtype="FLOAT")
    for read in (sound_info, read_sound):
        with pytest.raises(
            InputError, match=r"a\.wav: sample 17 is NaN or Inf; only finite values are allowed$"
        ):
            read(tmp_path / "a.wav")


def test_values_beyond_all_scales_are_refused_and_integers_as_floats_are_not(tmp_path: Path) -> None:
    for peak in (32768.0, 1e12):
        soundfile.write(tmp_path / "a.wav", np.full(1000, peak), 16000, subtype="FLOAT")
        if peak < 1e9:
            assert sound_info(tmp_path / "a.wav").samples == 1000
        else:
            with pytest.raises(
                InputError, match=r"samples up to 1e\+12; allowed: 1e\+09, where full scale is 1$"
            ):
                sound_info(tmp_path / "a.wav")


def test_other_messages(tmp_path: Path, write_sound: Write) -> None:
    with pytest.raises(InputError, match=r"none\.wav: no such file$"):
        read_wave(tmp_path / "none.wav", 16000)
    soundfile.write(tmp_path / "void.wav", np.zeros(0), 16000)
    with pytest.raises(InputError, match=r"void\.wav: holds no samples$"):
        read_wave(tmp_path / "void.wav", 16000)
    path = write_sound(tmp_path / "slow.wav", rate=8000)
    with pytest.raises(InputError, match=r"slow\.wav: has 8000 Hz; the option sample_rate says 16000$"):
        read_segment(path, 0, 100, 16000)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_wave(blocked / "a.wav", torch.zeros(10), 16000)


# Suffix, format, encoding, whether parts can be read by themselves, and the largest error of a sine of 0.3.
FORMATS = [
    (".wav", "WAV", "PCM_U8", True, 1e-2),
    (".wav", "WAV", "PCM_16", True, 1e-4),
    (".wav", "WAV", "PCM_24", True, 1e-6),
    (".wav", "WAVEX", "PCM_32", True, 1e-6),
    (".wav", "WAV", "FLOAT", True, 1e-7),
    (".wav", "WAV", "DOUBLE", True, 1e-7),
    (".wav", "WAV", "ULAW", True, 2e-2),
    (".wav", "WAV", "MS_ADPCM", False, 5e-2),
    (".w64", "W64", "PCM_16", True, 1e-4),
    (".rf64", "RF64", "FLOAT", True, 1e-7),
    (".flac", "FLAC", "PCM_24", True, 1e-6),
    (".aiff", "AIFF", "PCM_16", True, 1e-4),
    (".aifc", "AIFF", "FLOAT", True, 1e-7),
    (".au", "AU", "PCM_24", True, 1e-6),
    (".caf", "CAF", "ALAC_16", False, 1e-4),
    (".sph", "NIST", "PCM_16", True, 1e-4),
    (".voc", "VOC", "PCM_16", False, 1e-4),
    (".ogg", "OGG", "VORBIS", False, 8e-2),
    (".opus", "OGG", "OPUS", False, 8e-2),
    (".mp3", "MP3", "MPEG_LAYER_III", False, 8e-2),
]


@pytest.mark.parametrize(("suffix", "kind", "encoding", "exact", "error"), FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 48000])
def test_every_format_says_what_it_holds_and_holds_it(
    tmp_path: Path, suffix: str, kind: str, encoding: str, exact: bool, error: float, channels: int, rate: int
) -> None:
    time = np.arange(round(0.7 * rate)) / rate
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    both = np.stack([tone, 0.5 * tone], axis=1)[:, :channels]
    soundfile.write(tmp_path / f"a{suffix}", both, rate, format=kind, subtype=encoding)
    info, sound = sound_info(tmp_path / f"a{suffix}"), read_sound(tmp_path / f"a{suffix}")
    assert (info.rate, sound.rate, info.channels, info.exact) == (rate, rate, channels, exact)
    assert info.samples == len(sound.samples)
    # ADPCM fills its last block; everything else holds exactly what was written.
    assert len(tone) <= info.samples <= len(tone) + (4096 if encoding == "MS_ADPCM" else 0)
    expected = torch.from_numpy(both.mean(axis=1)).float()
    inner = slice(1000, -1000)  # codecs need a moment
    torch.testing.assert_close(sound.samples[: len(tone)][inner], expected[inner], atol=error, rtol=0)
    if exact:
        for first, last in ((0, 1), (17, 4000), (len(tone) - 100, len(tone))):
            part = read_segment(tmp_path / f"a{suffix}", first, last, rate)
            assert torch.equal(part, sound.samples[first:last])


@pytest.mark.parametrize(("name", "seconds", "rate"), [("05.mp3", 2.785, 22050), ("08.opus", 2.18, 24000)])
def test_what_others_have_encoded(name: str, seconds: float, rate: int) -> None:
    path = CASES / "10-other-audio" / name
    info = sound_info(path)
    assert info.rate == rate
    assert abs(info.samples / rate - seconds) < 0.05
    sound = read_sound(path)
    assert len(sound.samples) == info.samples
    assert 0.01 < float(sound.samples.square().mean().sqrt()) < 1


@pytest.mark.parametrize("rate", [1, 999, 768001, 2**31 - 1])
def test_a_rate_that_cannot_be_is_refused_before_it_costs_anything(tmp_path: Path, rate: int) -> None:
    # At 1 Hz, 16000 samples would be 256 million at 16 kHz.
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 8000)
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[24:28] = rate.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(content)
    for read in (sound_info, read_sound):
        with pytest.raises(
            InputError, match=rf"a\.wav: its header says {rate} Hz; allowed: 1000 to 768000 Hz$"
        ):
            read(tmp_path / "a.wav")


def test_a_length_that_cannot_be_is_refused(tmp_path: Path, write_sound: Write) -> None:
    flac = write_sound(tmp_path / "a.flac")
    content = bytearray(flac.read_bytes())
    content[21] |= 0x0F
    flac.write_bytes(content)
    mp3 = write_sound(tmp_path / "a.mp3", format="MP3", subtype="MPEG_LAYER_III")
    content = bytearray(mp3.read_bytes())
    at = content.index(b"Xing") + 8
    content[at : at + 4] = (2**31).to_bytes(4)
    mp3.write_bytes(content)
    for path in (flac, mp3):
        with pytest.raises(InputError, match=r": \d{10,} samples in a file of \d+ bytes; allowed: "):
            sound_info(path)


def test_a_thousand_channels_do_not_need_a_thousand_times_the_memory(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full((2000, 1000), 0.25), 16000)
    wave = read_wave(tmp_path / "a.wav", 16000)
    torch.testing.assert_close(wave, torch.full((2000,), 0.25), atol=1e-4, rtol=0)


def test_what_is_known_of_a_file_is_forgotten_when_it_is_written_anew(
    tmp_path: Path, write_sound: Write
) -> None:
    path = write_sound(tmp_path / "a.wav")
    assert sound_info(path).samples == 11200
    write_sound(path, seconds=1.0)
    assert sound_info(path).samples == 16000
