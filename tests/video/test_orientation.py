"""Rotated, mirrored and anamorphic video against ffmpeg's own rendering."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.video.encoding import encode, moving, quarter_turn, rendered

from seqdis.video.containers import decode_container, index_container
from seqdis.video.options import VideoOptions
from seqdis.video.video_recording import open_recording

ONE = 1 << 16
# The turn that each display matrix asks for, as a chain of ffmpeg's filters.
MATRICES = {
    "null": (ONE, 0, 0, ONE),
    "transpose=clock": (0, ONE, -ONE, 0),
    "transpose=cclock": (0, -ONE, ONE, 0),
    "hflip,vflip": (-ONE, 0, 0, -ONE),
    "hflip": (-ONE, 0, 0, ONE),
    "vflip": (ONE, 0, 0, -ONE),
    "transpose=cclock_flip": (0, ONE, ONE, 0),
    "transpose=clock_flip": (0, -ONE, -ONE, 0),
}


@pytest.mark.parametrize("filters", MATRICES)
def test_pictures_are_turned_as_ffmpeg_turns_them(tmp_path: Path, filters: str) -> None:
    a, b, c, d = MATRICES[filters]
    path = encode(tmp_path / "c.mp4", moving(5), matrix=(a, b, 0, c, d, 0, 0, 0, 1 << 30))
    index = index_container(path)
    expected = rendered(path, f"{filters},format=rgb24")
    assert (index.height, index.width) == expected.shape[1:3]
    decoded = [np.asarray(frame.image) for frame in decode_container(path, index, np.arange(5))]
    assert np.array_equal(np.stack(decoded), expected)


def test_a_phone_s_rotation_is_undone(tmp_path: Path) -> None:
    # Red above, black below; the header then says "turn a quarter clockwise", so red is on the right.
    frames = np.zeros((4, 16, 16, 3), dtype=np.uint8)
    frames[:, :8, :, 0] = 255
    path = encode(tmp_path / "c.mp4", frames, matrix=quarter_turn(1))
    red = open_recording(path, shape=(3, 16, 16), options=VideoOptions()).whole().frames[0, 0]
    assert red[:, 9:].min() > 200
    assert red[:, :7].max() < 50


@pytest.mark.parametrize("turn", [0, 1])
def test_anamorphic_video_is_shown_in_proportion(tmp_path: Path, turn: int) -> None:
    # A white disc, 48 pixels high, stored 36 wide: pixels of 4:3 show it round, whichever way up.
    y, x = np.mgrid[:64, :64]
    disc = (((y - 31.5) / 24) ** 2 + ((x - 31.5) / 18) ** 2 < 1).astype(np.uint8) * 255
    frames = np.stack([disc[..., None].repeat(3, -1)] * 3)
    matrix = {"matrix": quarter_turn(1)} if turn else {}
    path = encode(tmp_path / "c.mp4", frames, aspect=Fraction(4, 3), crf="10", **matrix)  # type: ignore[arg-type]
    index = index_container(path)
    assert (index.width, index.height) == ((64, 85) if turn else (85, 64))
    white = open_recording(path, shape=(3, 64, 64), options=VideoOptions()).whole().frames[0, 0] > 127
    wide, high = white.any(0).sum().item(), white.any(1).sum().item()
    assert abs(wide - high) <= 1
    assert abs(high - 48) <= 1


def test_resized_anamorphic_pixels_are_near_ffmpeg_s(tmp_path: Path) -> None:
    smooth = np.asarray(
        Image.fromarray(moving(1, height=8, width=8)[0]).resize((96, 72), Image.Resampling.BICUBIC)
    )
    path = encode(tmp_path / "c.mp4", smooth[None].repeat(3, 0), aspect=Fraction(4, 3), crf="5")
    # Shown as 128×72: ffmpeg scales to half of that; a bicubic filter of another make differs a little.
    expected = rendered(path, "scale=64:36:flags=bicubic,format=rgb24")
    options = VideoOptions(fit="crop")
    frames = open_recording(path, shape=(3, 36, 64), options=options).whole().frames
    assert np.abs(frames.permute(0, 2, 3, 1).numpy().astype(int) - expected).mean() < 2


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_colours_are_ffmpeg_s(tmp_path: Path, pix_fmt: str) -> None:
    path = encode(tmp_path / "c.mp4", moving(4, height=50, width=66), pix_fmt=pix_fmt)
    index = index_container(path)
    decoded = [np.asarray(frame.image) for frame in decode_container(path, index, np.arange(4))]
    assert np.array_equal(np.stack(decoded), rendered(path, "scale,format=rgb24"))
