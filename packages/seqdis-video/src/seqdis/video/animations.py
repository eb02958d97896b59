"""Animated pictures by Pillow: gif, webp, apng, avif, and tiff of several pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqdis.core.errors import InputError
from seqdis.core.limits import check_size
from seqdis.core.reading import readable
from seqdis.video.decoded import DecodedFrame
from seqdis.video.frame_index import FrameIndex
from seqdis.video.media_input import check_pixels, open_picture
from seqdis.video.pictures import to_rgb

__all__ = ["decode_animation", "index_animation"]

_TIMELESS = ("TIFF",)
"""Formats whose pages have no duration."""
_DEFAULT_DURATION = 100.0
"""Milliseconds of a picture that does not say how long it is shown, as viewers have it."""


def index_animation(path: Path) -> FrameIndex:
    """Index an animation by the duration of each picture.

    Writers merge equal neighbours into one longer picture; the shortest duration is the step, so that a clip comes
    back with as many frames as it had (unless every picture was merged).

    Raises:
        InputError: The file is damaged or cut short.
    """
    durations, pixels = list[float](), 0
    with readable(path, _kind(path)), open_picture(path) as image:
        timed = image.format not in _TIMELESS
        count = getattr(image, "n_frames", 1)
        check_size(path, count * image.width * image.height, "animation", what="pixels in all pictures")
        for number in range(count):
            image.seek(number)
            check_pixels(path, *image.size)
            pixels += image.width * image.height
            check_size(path, pixels, "animation", what="pixels in all pictures or more")
            image.load()  # webp and avif tell the duration of a picture that was decoded
            durations.append(float(image.info.get("duration", 0)) or _DEFAULT_DURATION)
        width, height = image.size
    content = path.read_bytes()
    # Some writers pad after the trailer byte of a gif.
    if path.suffix.lower() == ".gif" and not content[-64:].rstrip(b"\0\r\n ").endswith(b";"):
        raise InputError(f"{path}: the gif is cut short: its end marker is missing")
    milliseconds = np.array(durations)
    ends = milliseconds.cumsum() / 1000
    return FrameIndex(
        stamps=np.arange(len(durations)),
        seconds=ends - milliseconds / 1000,
        repeats=(milliseconds / milliseconds.min()).round().clip(1).astype(np.int64),
        keys=np.zeros(1, dtype=np.int64),
        duration=float(ends[-1]) if timed else 0.0,
        time_base=0.0,
        width=width,
        height=height,
        seekable=False,
        digest=hashlib.sha256(content).hexdigest(),
    )


def decode_animation(
    path: Path, numbers: np.ndarray, *, between: bool = False, white: float | None = None
) -> Iterator[DecodedFrame]:
    """Decode some pictures of an animation, whose pictures may each lean on the one before.

    Args:
        path: The path of the animation.
        numbers: The pictures' numbers, in increasing order.
        between: Whether those that had to be decoded on the way are given too.
        white: The value of white where the format does not say it.

    Raises:
        InputError: The file is damaged.
    """
    wanted = set(numbers.tolist())
    with readable(path, _kind(path)), open_picture(path) as image:
        alone = path if getattr(image, "n_frames", 1) == 1 else None
        for number in range(int(numbers[-1]) + 1) if between else numbers.tolist():
            image.seek(number)
            check_pixels(path, *image.size)
            if between or number in wanted:
                yield DecodedFrame(number, to_rgb(image, white=white, path=alone))


def _kind(path: Path) -> str:
    return path.suffix.lower().removeprefix(".")
