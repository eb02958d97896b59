"""Folders of pictures as clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.video.encoding import moving
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.video.options import VideoOptions
from seqdis.video.picture_folder import frame_files, holds_frames
from seqdis.video.video_recording import VideoRecording, open_recording
from seqdis.video.writing import write_frames


def _open(path: Path, **options: object) -> VideoRecording:
    return open_recording(path, shape=(3, 16, 16), options=VideoOptions(**options))


def test_frames_are_ordered_by_number(tmp_path: Path) -> None:
    for name in ("f10.png", "f9.png", "f1.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in frame_files(tmp_path)] == ["f1.jpg", "f9.png", "f10.png"]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".jpg", ".tga"])
def test_pictures_of_every_kind_are_frames(tmp_path: Path, suffix: str) -> None:
    frames = moving(4, height=16, width=16)
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(
            tmp_path / f"{number}{suffix}", **({"lossless": True} if suffix == ".webp" else {})
        )
    assert holds_frames(tmp_path)
    read = _open(tmp_path).whole().frames.permute(0, 2, 3, 1).numpy()
    worst = np.abs(read.astype(int) - frames).mean()
    assert worst < (25 if suffix == ".jpg" else 1e-9)


def test_a_folder_has_no_clock(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c", clip, fps=8)
    assert _open(tmp_path / "c", fps=2).steps == 12
    assert _open(tmp_path / "c", stride=5).steps == 3


def test_animated_pictures_are_clips_by_themselves(tmp_path: Path) -> None:
    pictures = [Image.fromarray(frame) for frame in moving(3, height=16, width=16)]
    pictures[0].save(tmp_path / "a.webp", save_all=True, append_images=pictures[1:])
    pictures[0].save(tmp_path / "b.png")
    assert not holds_frames(tmp_path)


def test_a_damaged_picture_is_named(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c", clip, fps=8)
    broken = tmp_path / "c" / "frame-00003.png"
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(InputError, match=r"frame-00003\.png: cannot be read as a picture"):
        _open(tmp_path / "c").whole()
