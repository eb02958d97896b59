"""Clips written picture by picture, so that none of them lies in memory whole."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.preparation.kept_sound import SoundSource, SoundTrack

__all__ = ["PreparedPicture", "write_folder", "write_mp4"]

_CLOCK = Fraction(1, 90_000)
"""Unit of time, in s, where pictures come at times of their own."""


@dataclass(frozen=True)
class PreparedPicture:
    """Pixels ``(height, width, 3)`` uint8, and the time at which they are shown, in s from the first picture."""

    pixels: np.ndarray
    seconds: float


def write_mp4(
    path: Path,
    pictures: Iterable[PreparedPicture],
    *,
    fps: float | None,
    quality: int,
    sound: SoundSource | None = None,
) -> int:
    """Write H.264, with every picture at its time.

    Args:
        path: The file to write.
        pictures: The pictures, all of one size; the last row or column of an odd size is repeated.
        fps: Pictures a second; None where they come at times of their own.
        quality: The encoder's constant rate factor; 0 is without loss.
        sound: The file whose sound goes along.

    Returns:
        The number of pictures.

    Raises:
        InputError: There is no picture, they differ in size, or the sound cannot be read.
    """
    base = _CLOCK if fps is None else 1 / Fraction(fps).limit_denominator(1001)
    ordered = _of_one_size(pictures)
    head = list(itertools.islice(ordered, 2))
    if not head:
        raise InputError(f"{path}: no picture is left to write")
    count, last = 0, -1
    # The same pictures give the same file: no random identifiers, and one thread.
    with contextlib.ExitStack() as stack:
        container = stack.enter_context(av.open(str(path), "w", options={"fflags": "+bitexact"}))
        rate = _rate(head) if fps is None else 1 / base  # how long the last picture is shown
        stream = container.add_stream("libx264", rate=rate, options={"crf": str(quality), "threads": "1"})
        stream.height, stream.width = (side + side % 2 for side in head[0].pixels.shape[:2])
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 0  # quality alone decides
        stream.codec_context.time_base = base
        track = stack.enter_context(SoundTrack(sound, container)) if sound is not None else None
        for picture in itertools.chain(head, ordered):
            if track is not None:
                container.mux(list(track.up_to(picture.seconds)))
            height, width = picture.pixels.shape[:2]
            even = np.pad(picture.pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            last = max(last + 1, round(picture.seconds / base))
            frame.pts, frame.time_base = last, base
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
        if track is not None:
            container.mux(list(track.up_to(math.inf)))
    return count


def _rate(head: Sequence[PreparedPicture]) -> Fraction:
    """Pictures a second at the beginning of a clip; 25 where it has one picture."""
    apart = head[1].seconds - head[0].seconds if len(head) > 1 else 0.0
    return Fraction(1 / apart if apart > 1e-3 else 25).limit_denominator(1001)


def write_folder(path: Path, pictures: Iterable[PreparedPicture]) -> int:
    """Write a folder of ``frame-00000.png`` and so on, and return their number.

    Raises:
        InputError: There is no picture, or they differ in size.
    """
    path.mkdir()
    count = 0
    for picture in _of_one_size(pictures):
        Image.fromarray(picture.pixels).save(path / f"frame-{count:05d}.png")
        count += 1
    if not count:
        raise InputError(f"{path}: no picture is left to write")
    return count


def _of_one_size(pictures: Iterable[PreparedPicture]) -> Iterator[PreparedPicture]:
    shape = None
    for picture in pictures:
        shape = picture.pixels.shape if shape is None else shape
        if picture.pixels.shape != shape:
            sizes = " and ".join(f"{s[1]}x{s[0]}" for s in (shape, picture.pixels.shape))
            raise InputError(f"holds pictures of {sizes}; size=height,width makes them equal")
        yield picture
