"""A folder of pictures, each of them one frame."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqdis.core.errors import InputError
from seqdis.core.reading import readable
from seqdis.video.decoded import DecodedFrame
from seqdis.video.frame_index import FrameIndex
from seqdis.video.media_input import open_picture
from seqdis.video.pictures import ANIMATIONS, IMAGES, read_picture

__all__ = ["decode_folder", "frame_files", "holds_frames", "index_folder"]


def frame_files(folder: Path) -> list[Path]:
    """The pictures directly in a folder; numbers in names count as numbers, so 10 follows 9."""

    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]

    pictures = (p for p in folder.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith("."))
    return sorted(pictures, key=natural)


def holds_frames(folder: Path) -> bool:
    """Whether a folder's pictures are frames of one clip, and no clips by themselves."""
    files = frame_files(folder)
    return bool(files) and not any(_is_animated(path) for path in files)


def _is_animated(path: Path) -> bool:
    if path.suffix.lower() not in ANIMATIONS:
        return False
    try:
        with readable(path, "a picture"), open_picture(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except InputError:
        return False


def index_folder(folder: Path) -> FrameIndex:
    """Index a folder of pictures by their names; it has no clock.

    Raises:
        InputError: The folder holds no picture, or the first one is damaged.
    """
    files = frame_files(folder)
    if not files:
        raise InputError(f"{folder}: holds no picture that can be decoded")
    content = hashlib.sha256()
    for path in files:
        status = path.stat()
        content.update(repr((path.name, status.st_size, status.st_mtime_ns)).encode())
    with readable(files[0], "a picture"), open_picture(files[0]) as image:
        width, height = image.size
    count = len(files)
    return FrameIndex(
        stamps=np.arange(count),
        seconds=np.zeros(count),
        repeats=np.ones(count, dtype=np.int64),
        keys=np.arange(count),
        duration=0.0,
        time_base=0.0,
        width=width,
        height=height,
        seekable=True,
        digest=content.hexdigest(),
    )


def decode_folder(folder: Path, numbers: np.ndarray, *, white: float | None = None) -> Iterator[DecodedFrame]:
    """Decode some pictures of a folder.

    Args:
        folder: The folder of pictures.
        numbers: The numbers of the pictures in the order of :func:`frame_files`.
        white: The value of white, for pictures whose format does not say it.

    Raises:
        InputError: One is damaged or of unknown range, or pictures were taken away since they were counted.
    """
    files = frame_files(folder)
    for number in numbers.tolist():
        if number >= len(files):
            raise InputError(f"{folder}: has {len(files)} pictures now; had more when it was opened")
        yield DecodedFrame(number, read_picture(files[number], white=white))
