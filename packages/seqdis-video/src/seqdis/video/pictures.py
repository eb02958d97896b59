"""One picture file as 8-bit RGB, whatever its depth, palette or transparency."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from seqdis.core.errors import InputError

__all__ = ["ANIMATIONS", "BROKEN", "IMAGES", "read_picture", "to_rgb"]

IMAGES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm",
    ".pnm", ".tga", ".jp2", ".avif",
)  # fmt: skip
"""Suffixes of the pictures that a folder of frames may hold."""
ANIMATIONS = (".gif", ".webp", ".apng", ".tif", ".tiff", ".avif")
"""Suffixes of pictures that are clips by themselves where a file holds several."""
BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error, Image.DecompressionBombError,
    av.error.FFmpegError,
)  # fmt: skip
"""What the libraries let through from the depths of a damaged picture."""
_DEEP = 65535
"""White of the formats whose 16-bit values have a range of their own."""
_FULL_RANGE = ("PNG", "PPM")


def read_picture(path: Path, *, white: float | None = None) -> Image.Image:
    """Read one picture, turned as its EXIF data say, as 8-bit RGB.

    Args:
        path: The path of the picture.
        white: The value of white, for pictures of more than 8 bits whose format does not say it.

    Raises:
        InputError: The file is damaged, holds several pictures, or has pixels of unknown range.
    """
    try:
        with Image.open(path) as image:
            count = getattr(image, "n_frames", 1)
            if count > 1:
                raise InputError(
                    f"{path}: holds {count} pictures; allowed in a folder of frames: one a file (an animated png "
                    "is read by itself under the suffix .apng)"
                )
            return ImageOps.exif_transpose(to_rgb(image, white=white, path=path))
    except InputError:
        raise
    except BROKEN as error:
        raise InputError(f"{path}: cannot be read as a picture: {error}") from error


def to_rgb(image: Image.Image, *, white: float | None = None, path: Path | None = None) -> Image.Image:
    """An 8-bit RGB copy; what is transparent becomes black.

    Of more than 8 bits a channel, ``round(255 x / white)``, where white is 65535 for 16-bit png and pnm.

    Args:
        image: The picture to convert.
        white: The value of white where the format does not say it.
        path: The file that holds it alone, which pictures of 16 bits a colour are read from in full depth.

    Raises:
        InputError: The range of the pixels is not known, or a value is outside of it.
    """
    name = f"{path}: " if path is not None else ""
    tiles = getattr(image, "tile", None)
    depth = str(tiles[0].args) if tiles else ""
    if not image.mode.startswith(("I", "F")) and "16" not in depth:
        return _shallow_rgb(image)
    known = _DEEP if image.format in _FULL_RANGE else white
    if known is None:
        raise InputError(
            f"{name}pixels of mode {image.mode!r}{' with 16 bits a channel' if '16' in depth else ''}, whose range "
            "is not known; allowed: 8 bits, 16-bit png, or the option white=VALUE that names the value of white"
        )
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image).astype(np.float64)[..., None].repeat(3, axis=-1)
    elif path is not None:
        values = _deep_values(path)
    else:
        raise InputError(f"{name}pixels of 16 bits a channel in a file of several pictures; allowed: 8 bits")
    outside = (values < 0) | (values > known) | ~np.isfinite(values)
    if outside.any():
        worst = values[outside][0]
        raise InputError(f"{name}a pixel is {worst:g}; allowed with white={known:g}: 0 to {known:g}")
    rgb = Image.fromarray((values * (255 / known)).round().astype(np.uint8))
    rgb.getexif().update(image.getexif())
    return rgb


def _shallow_rgb(image: Image.Image) -> Image.Image:
    exif = image.getexif()
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        rgb = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), layered).convert("RGB")
    else:
        rgb = image.convert("RGB")
    rgb.getexif().update(exif)
    return rgb


def _deep_values(path: Path) -> np.ndarray:
    # Pillow keeps the upper 8 bits of these alone.
    with av.open(str(path), metadata_errors="ignore") as container:
        frame = next(container.decode(video=0))
        values = frame.to_ndarray(format="rgba64le").astype(np.float64)
    return values[..., :3] * (values[..., 3:] / _DEEP)
