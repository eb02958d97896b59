"""The pictures of a clip in the order of time, one at a time, at their own size."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video import io as reading
from seqdis.video.sampling import TimedImage, resample

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
    for index, picture in enumerate(_all(path, fps)):
        if index % every == 0:
            yield picture


def _all(path: Path, fps: float | None) -> Iterator[ClipPicture]:
    if path.is_dir():
        timed = reading._decode_folder(path, fps or 1.0)
    elif path.suffix.lower() == ".gif":
        timed = reading._decode_gif(path)
    else:
        timed = _decode_container(path)
    if fps is None or path.is_dir():
        yield from (ClipPicture(one.image, one.seconds) for one in timed)
    else:
        for index, image in enumerate(resample(timed, fps=fps, stride=1)):
            yield ClipPicture(image, index / fps)


def _decode_container(path: Path) -> Iterator[TimedImage]:
    first: float | None = None
    count = 0
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path}: has no video stream")
            stream = container.streams.video[0]
            alone = multiprocessing.parent_process() is None
            stream.codec_context.thread_count = 0 if alone else 1
            rate = float(stream.average_rate or 25)
            for frame in container.decode(stream):
                seconds = frame.time if frame.time is not None else count / rate
                first = seconds if first is None else first
                yield TimedImage(reading._upright(frame), seconds - first)
                count += 1
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path}: cannot be read as video, damaged or cut short: {error.strerror}"
        ) from error
    if not count:
        raise InputError(f"{path}: holds no picture that can be decoded")


def first_time(path: Path) -> float | None:
    """The time of the first picture on a video file's own clock, in s; None for what has no sound by its kind.

    Raises:
        InputError: The file cannot be used.
    """
    if path.is_dir() or path.suffix.lower() == ".gif":
        return None
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                return float((frame.pts or 0) * (frame.time_base or Fraction(0)))
    except av.error.FFmpegError as error:
        raise InputError(f"{path}: cannot be read as video: {error.strerror}") from error
    raise InputError(f"{path}: holds no picture that can be decoded")
