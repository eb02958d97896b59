"""Turns pictures of any size and rate into frames of the size and rate that a run asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["TimedImage", "fit_image", "resample", "to_grey", "to_rgb"]

_EPSILON = 1e-6  # seconds: rounding of time stamps


@dataclass(frozen=True)
class TimedImage:
    """A decoded picture and the time at which it is first shown, in seconds from the start of the clip."""

    image: Image.Image
    seconds: float


def to_rgb(image: Image.Image) -> Image.Image:
    """An 8-bit RGB copy; what is transparent becomes black.

    Raises:
        InputError: The pixels are 16-bit or floating point, whose range is not known.
    """
    if image.mode.startswith(("I", "F")):
        raise InputError(f"pixels of mode {image.mode!r}; allowed: 8 bits a channel")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), layered).convert("RGB")
    return image.convert("RGB")


def to_grey(frames: Tensor) -> Tensor:
    """Luma ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601) of ``(T, 3, H, W)`` uint8, as ``(T, 1, H, W)``.

    Frames that are grey already stay as they are.
    """
    if frames.shape[1] == 1:
        return frames
    red, green, blue = frames.float().unbind(1)
    return (0.299 * red + 0.587 * green + 0.114 * blue).round().to(torch.uint8)[:, None]


def fit_image(
    image: Image.Image, *, height: int, width: int, fit: Literal["crop", "pad", "stretch"]
) -> np.ndarray:
    """Resize one picture with an antialiasing (bicubic) filter.

    Args:
        image: An RGB picture of any size.
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        fit: ``"crop"`` keeps the largest centred part of the right aspect, ``"pad"`` adds black
            bars, ``"stretch"`` distorts.

    Returns:
        ``(height, width, 3)`` uint8; the picture itself where it has that size already.
    """
    bicubic = Image.Resampling.BICUBIC
    if fit == "stretch":
        return np.asarray(image.resize((width, height), bicubic))
    scales = (width / image.width, height / image.height)
    if fit == "crop":
        w, h = width / max(scales), height / max(scales)
        left, top = (image.width - w) / 2, (image.height - h) / 2
        return np.asarray(image.resize((width, height), bicubic, box=(left, top, left + w, top + h)))
    w, h = (max(1, round(side * min(scales))) for side in image.size)
    canvas = Image.new("RGB", (width, height))
    canvas.paste(image.resize((w, h), bicubic), ((width - w) // 2, (height - h) // 2))
    return np.asarray(canvas)


def resample(frames: Iterable[TimedImage], *, fps: float | None, stride: int) -> Iterator[Image.Image]:
    """Pick the pictures of a stream at a constant rate: at ``k / fps`` seconds, the one shown then.

    Args:
        frames: The pictures of the stream, in the order of time.
        fps: Number of pictures a second; None keeps every picture.
        stride: Step n: every n-th of the picked pictures is kept.
    """
    picked = (frame.image for frame in frames) if fps is None else _at_rate(frames, fps)
    for index, image in enumerate(picked):
        if index % stride == 0:
            yield image


def _at_rate(frames: Iterable[TimedImage], fps: float) -> Iterator[Image.Image]:
    current: TimedImage | None = None
    count = 0
    for frame in frames:
        while current is not None and count / fps < frame.seconds - _EPSILON:
            yield current.image
            count += 1
        current = frame
    if current is not None and count / fps <= current.seconds + _EPSILON:
        yield current.image
