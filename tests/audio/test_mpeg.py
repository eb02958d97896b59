"""Whether an mp3 is whole, from frames that are put together here."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from seqdis.audio.io import read_sound
from seqdis.audio.mpeg import lacks_mpeg_frames
from seqdis.audio.sound_info import sound_info

Write = Callable[..., Path]

# Version 1, layer III, 128 kbit/s, 44.1 kHz: ⌊144 · 128000 / 44100⌋ = 417 bytes, one more with padding.
FRAME = b"\xff\xfb\x90\x00" + bytes(413)
PADDED = b"\xff\xfb\x92\x00" + bytes(414)
# Version 2, layer III, 64 kbit/s, 24 kHz: 72 · 64000 / 24000 = 192 bytes.
SLOW = b"\xff\xf3\x84\x00" + bytes(188)
# Version 1, layer II, 192 kbit/s, 48 kHz: 144 · 192000 / 48000 = 576 bytes.
SECOND = b"\xff\xfd\xa4\x00" + bytes(572)
# Version 1, layer I, 192 kbit/s, 32 kHz: 4 · ⌊12 · 192000 / 32000⌋ = 288 bytes.
FIRST = b"\xff\xff\x68\x00" + bytes(284)
TAG = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 5]) + bytes(133)  # 1 · 128 + 5 bytes behind the header


def lacks(content: bytes) -> bool:
    return lacks_mpeg_frames(io.BytesIO(content), len(content))


def declared(size: int) -> bytes:
    """A frame that says how many bytes there are in all, itself included."""
    head = b"\xff\xfb\x90\x00" + bytes(32) + b"Xing" + struct.pack(">III", 3, 10, size)
    return head + bytes(417 - len(head))


@pytest.mark.parametrize("frame", [FRAME, PADDED, SLOW, SECOND, FIRST], ids=len)
@pytest.mark.parametrize("before", [b"", TAG, TAG + TAG], ids=["", "a tag", "two tags"])
@pytest.mark.parametrize("behind", [b"", b"TAG" + bytes(125), bytes(50)], ids=["", "a tag", "zeros"])
def test_frames_are_whole_to_the_last_byte(frame: bytes, before: bytes, behind: bytes) -> None:
    assert not lacks(before + 5 * frame + behind)
    for missing in (1, len(frame) // 2, len(frame) - 5, len(frame) - 2):
        assert lacks(before + (5 * frame)[:-missing])


def test_frames_of_unlike_length() -> None:
    assert not lacks(FRAME + PADDED + PADDED + FRAME)
    assert lacks((FRAME + PADDED + PADDED + FRAME)[:-1])


def test_a_file_that_says_how_long_it_is() -> None:
    content = declared(4 * 417) + 3 * FRAME
    assert not lacks(content)
    assert not lacks(TAG + content)
    assert lacks(content[:-417])  # a frame less, which nothing else would show
    assert lacks(TAG + content[:-417])


def test_what_is_no_mp3_is_left_to_others() -> None:
    assert not lacks(b"\xff\xf1\x50\x80" + bytes(500))  # aac
    assert not lacks(TAG + b"fLaC" + bytes(500))
    assert lacks(TAG[:100])


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("level", [0.1, 0.9])
def test_what_an_encoder_writes(tmp_path: Path, write_sound: Write, rate: int, level: float) -> None:
    path = write_sound(tmp_path / "a.mp3", rate=rate, compression_level=level)
    assert sound_info(path).samples == round(0.7 * rate)
    content = path.read_bytes()
    assert not lacks(content)
    assert lacks(content[:-1])


def test_the_samples_do_not_depend_on_how_many_are_read_at_a_time(
    tmp_path: Path, write_sound: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each frame of an mp3 builds on those before it: a reader that jumps between two blocks loses them.
    for seed, rate in enumerate((16000, 22050, 44100)):
        path = write_sound(tmp_path / "a.mp3", seconds=2.0, rate=rate, hertz=300.0 + seed)
        whole = read_sound(path).samples
        with monkeypatch.context() as patch:
            patch.setattr("seqdis.audio.sound_file._BLOCK", 5000)
            parts = read_sound(path).samples
        assert len(parts) == len(whole) == round(2.0 * rate)
        assert float((parts - whole).abs().max()) < 1e-6
