"""Files in and out, and the ways in which they can be bad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seqdis.audio.io import read_segment, read_wave, sound_info, write_wave
from seqdis.core.errors import InputError

Write = Callable[..., Path]


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


def test_a_flac_of_unstated_length_is_refused(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    # The 36 bits of STREAMINFO's total are 0 for "unknown" in a stream.
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    for read in (lambda: read_wave(path, 16000), lambda: sound_info(path)):
        with pytest.raises(
            InputError, match=r"a\.flac: its header does not say how long it is; write the file anew"
        ):
            read()


def test_a_flac_that_declares_more_than_it_holds_is_refused(tmp_path: Path, write_sound: Write) -> None:
    path = write_sound(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    total = int.from_bytes(content[22:26])
    content[22:26] = (total + 5000).to_bytes(4)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.flac: is (damaged or )?truncated: "):
        read_wave(path, 16000)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_truncated_file_is_refused(tmp_path: Path, write_sound: Write, kind: str, share: float) -> None:
    path = write_sound(tmp_path / f"a.{kind}", seconds=2.0)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    # So little of a flac or ogg is left at 2 % that it is no longer known as one.
    verdict = r"is (damaged or )?truncated: " if share > 0.1 or kind == "wav" else ""
    with pytest.raises(InputError, match=rf"^[^\n]*a\.\w+: {verdict}[^\n]+$"):
        read_wave(path, 16000)


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
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
    with pytest.raises(
        InputError, match=r"a\.wav: 2 of 1000 samples are NaN or Inf; only finite values are allowed$"
    ):
        read_wave(tmp_path / "a.wav", 16000)


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
