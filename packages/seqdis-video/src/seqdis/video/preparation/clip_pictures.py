"""The pictures of a clip in the order of time, one at a time, at their own size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from seqdis.video.decoded import DecodedFrame
from seqdis.video.index_store import file_version, load_index
from seqdis.video.io import CONTAINERS, decode_frames
from seqdis.video.options import VideoOptions

__all__ = ["ClipPicture", "clip_pictures", "first_time"]


@dataclass(frozen=True)
class ClipPicture:
    """An upright RGB picture with square pixels, and the time at which it is shown, in s from the first one."""

    image: Image.Image
    seconds: float


def clip_pictures(path: Path, *, fps: float | None, every: int = 1) -> Iterator[ClipPicture]:
    """Decode a clip picture by picture.

    Args:
        path: A video file, an animation, or a folder of pictures, which has no clock: its pictures all count, one
            every ``1 / fps`` seconds, or a second where there is no ``fps``.
        fps: Pictures a second: the k-th is the one that is shown at ``k / fps`` s. None takes every picture.
        every: Every n-th of these is given.

    Raises:
        InputError: The clip cannot be used.
    """
    index = load_index(path, file_version(path))
    shown = index.shown(path, fps=None if path.is_dir() else fps, stride=every)
    times: np.ndarray
    if path.is_dir() or fps is not None:
        times = np.arange(len(shown)) * every / (fps or 1.0)
    elif (index.repeats > 1).any():
        times = np.arange(len(shown)) * every * index.duration / float(index.repeats.sum())
    else:
        times = index.seconds[shown]
    # PyAV alone: what is prepared on one machine is the same on another.
    options = VideoOptions(decoder="pyav")
    step = 0
    for decoded in decode_frames(path, index, np.unique(shown), options=options):
        picture = _square(decoded)
        while step < len(shown) and shown[step] == decoded.number:
            yield ClipPicture(picture, float(times[step]))
            step += 1


def _square(decoded: DecodedFrame) -> Image.Image:
    """The picture with square pixels."""
    image = decoded.image
    if decoded.aspect == 1.0:
        return image
    width = max(1, round(image.width * decoded.aspect))
    return image.resize((width, image.height), Image.Resampling.BICUBIC)


def first_time(path: Path) -> float | None:
    """The time of the first picture on a video file's own clock, in s; None for what has no sound by its kind.

    Raises:
        InputError: The file cannot be used.
    """
    if path.is_dir() or path.suffix.lower() not in CONTAINERS:
        return None
    return load_index(path, file_version(path)).begin
