"""The part of a picture that is kept, and its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.preparation.steady_box import Box
from seqdis.video.sampling import fit_image

__all__ = ["Region", "centre_region", "cut_out", "given_region", "square_region"]


@dataclass(frozen=True)
class Region:
    """A rectangle in a picture, in pixels from its left upper corner; it may reach beyond the picture."""

    x: int
    y: int
    width: int
    height: int


def centre_region(width: int, height: int, *, shape: tuple[int, int]) -> Region:
    """The largest region of some proportions in the middle of a picture, with even sides.

    Args:
        width: Width of the picture.
        height: Height of the picture.
        shape: Height and width whose proportions it has.
    """
    scale = min(height / shape[0], width / shape[1])
    w, h = (max(2, int(side * scale / 2 + 1e-6) * 2) for side in (shape[1], shape[0]))
    w, h = min(w, width), min(h, height)
    return Region((width - w) // 2, (height - h) // 2, w, h)


def square_region(box: Box, width: int, height: int, *, inside: bool) -> Region:
    """A square of whole pixels and an even side around a box.

    Args:
        box: The box in pixels.
        width: Width of the picture.
        height: Height of the picture.
        inside: Whether it is moved into the picture, and made no larger than that.
    """
    side = max(2, round(box.side / 2) * 2)
    if inside:
        side = min(side, min(width, height) // 2 * 2)
    x, y = round(box.x - side / 2), round(box.y - side / 2)
    if inside:
        x, y = min(max(x, 0), width - side), min(max(y, 0), height - side)
    return Region(x, y, side, side)


def given_region(numbers: tuple[int, int, int, int], width: int, height: int) -> Region:
    """A region that was given by its left upper corner, width and height.

    Raises:
        InputError: The region does not lie in the picture.
    """
    region = Region(*numbers)
    if region.x + region.width > width or region.y + region.height > height:
        named = ",".join(map(str, numbers))
        raise InputError(f"crop={named} (x,y,width,height) reaches beyond pictures of {width}x{height}")
    return region


def cut_out(
    image: Image.Image,
    region: Region | None,
    size: int | tuple[int, int] | None,
    *,
    fit: Literal["crop", "pad"] = "pad",
) -> np.ndarray:
    """Cut a region out of a picture, black beyond its border, and resize it with an antialiasing filter.

    Args:
        image: The RGB picture.
        region: The region; None for the whole picture.
        size: Pixels of the shorter side, the longer one in proportion (rounded to even); or height and width; None
            keeps the size.
        fit: The way out where the proportions of height and width differ from the region's: ``"pad"`` adds black
            bars, ``"crop"`` cuts off what is too much.

    Returns:
        ``(height, width, 3)`` uint8.
    """
    if region is not None:
        image = image.crop((region.x, region.y, region.x + region.width, region.y + region.height))
    if size is None:
        return np.asarray(image)
    if isinstance(size, tuple):
        return fit_image(image, height=size[0], width=size[1], fit=fit)
    short = min(image.size)
    width, height = (size if side == short else round(side * size / short / 2) * 2 for side in image.size)
    return fit_image(image, height=height, width=width, fit="stretch")
