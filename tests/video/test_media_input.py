"""Pictures and videos that claim more than allowed, or are another kind than their name says."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.video.encoding import encode, moving

from seqdis.core.errors import InputError
from seqdis.video.animations import index_animation
from seqdis.video.containers import index_container
from seqdis.video.frame_index import FrameIndex
from seqdis.video.pictures import read_picture


def test_a_picture_with_more_pixels_than_allowed_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / "x.png"
    Image.new("L", (6000, 6000)).save(path, compress_level=1)
    message = r"x\.png: .*36000000 pixels.*; allowed: 33554432"
    with pytest.raises(InputError, match=message):
        read_picture(path)
    Image.new("L", (100, 100)).save(path)
    monkeypatch.setenv("SEQDIS_LIMITS", "pixels=9999")
    message = r"x\.png: 10000 pixels \(100x100\); allowed: 9999, or a larger SEQDIS_LIMITS=pixels=10000$"
    with pytest.raises(InputError, match=message):
        read_picture(path)
    assert not recwarn.list


def screens(path: Path, *, side: int, count: int) -> Path:
    """A gif of many pictures of one pixel on a large screen."""
    head = b"GIF89a" + struct.pack("<HHBBB", side, side, 0xF0, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    control = b"\x21\xf9\x04\x04\x0a\x00\x00\x00"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    path.write_bytes(head + (control + picture) * count + b";")
    return path


def test_a_small_gif_of_many_screens_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(index_animation(screens(tmp_path / "x.gif", side=40, count=5)).stamps) == 5
    path = screens(tmp_path / "y.gif", side=5000, count=50)
    with pytest.raises(InputError, match=r"y\.gif: 1250000000 pixels in all pictures; allowed: 1073741824"):
        index_animation(path)


def test_a_video_with_larger_pictures_than_allowed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encode(tmp_path / "c.mp4", moving(5))
    assert len(index_container(path).stamps) == 5
    monkeypatch.setenv("SEQDIS_LIMITS", "pixels=100")
    with pytest.raises(InputError, match=r"c\.mp4: \d+ pixels \(\d+x\d+\); allowed: 100"):
        index_container(path)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile other.mp4\n",
    ],
)
def test_a_playlist_under_the_name_of_a_video_names_no_other_file(tmp_path: Path, text: str) -> None:
    encode(tmp_path / "other.mp4", moving(5))
    path = tmp_path / "x.mp4"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.mp4: cannot be read as video"):
        index_container(path)


def test_a_program_under_the_name_of_a_picture_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n%%EOF\n")
    with pytest.raises(InputError, match=r"x\.png: cannot be read as a picture: cannot identify"):
        read_picture(path)


def test_a_picture_that_is_shown_for_years_is_not_repeated_for_years() -> None:
    numbers = {"keys": np.zeros(1, np.int64), "width": 1, "height": 1, "digest": "", "seekable": True}
    index = FrameIndex(
        stamps=np.arange(3),
        seconds=np.array([0.0, 1.0, 1e12]),
        repeats=np.array([1, 1, 10**12]),
        duration=1e12,
        time_base=1.0,
        **numbers,  # type: ignore[arg-type]
    )
    for fps in (None, 25.0):
        with pytest.raises(
            InputError,
            match=r"^x\.gif: \d+ steps, for which 3 pictures are shown; allowed: 4194304, or a larger SEQDIS_LIMITS=steps=",
        ):
            index.shown(Path("x.gif"), fps=fps, stride=1)
