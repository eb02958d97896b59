"""A decoded picture on its way from a file to a frame."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

__all__ = ["DecodedFrame"]


@dataclass(frozen=True)
class DecodedFrame:
    """One frame of a file, upright.

    Attributes:
        number: The place of the frame in the file's index.
        image: The RGB picture.
        aspect: Width of one pixel over its height; 1 where pixels are square.
    """

    number: int
    image: Image.Image
    aspect: float = 1.0
