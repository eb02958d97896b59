"""One picture file as 8-bit RGB, whatever its depth, palette or transparency."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageOps

from seqdis.core.errors import InputError
from seqdis.core.reading import readable
from seqdis.video.media_input import STILLS, check_stream, open_picture

__all__ = ["ANIMATIONS", "IMAGES", "read_picture", "to_rgb"]

IMAGES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm",
    ".pnm", ".tga", ".jp2", ".avif",
)  # fmt: skip
"""Suffixes of the pictures that a folder of frames may hold."""
ANIMATIONS = (".gif", ".webp", ".apng", ".tif", ".tiff", ".avif")
"""Suffixes of pictures that are clips by themselves where a file holds several."""
_ROWS = 1 << 18
"""Pixels that are converted from more than 8 bits at a time."""
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
    with readable(path, "a picture"), open_picture(path) as image:
        count = getattr(image, "n_frames", 1)
        if count > 1:
            raise InputError(
                f"{path}: holds {count} pictures; allowed in a folder of frames: one a file (an animated png "
                "is read by itself under the suffix .apng)"
            )
        return ImageOps.exif_transpose(to_rgb(image, white=white, path=path))


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
        values = np.asarray(image)[..., None]
    elif path is not None:
        values = _deep_values(path)
    else:
        raise InputError(f"{name}pixels of 16 bits a channel in a file of several pictures; allowed: 8 bits")
    pixels = np.empty((*values.shape[:2], 3), np.uint8)
    rows = max(1, _ROWS // max(1, values.shape[1]))
    for first in range(0, len(values), rows):
        pixels[first : first + rows] = _scaled(values[first : first + rows], known, name)
    rgb = Image.fromarray(pixels)
    rgb.getexif().update(image.getexif())
    return rgb


def _scaled(part: np.ndarray, white: float, name: str) -> np.ndarray:
    """Some rows ``(n, W, 1)``, ``(n, W, 3)``, or of 16 bits with opacity ``(n, W, 4)``, as 8 bits."""
    values = part.astype(np.float64)
    if values.shape[-1] == 4:
        values = values[..., :3] * (values[..., 3:] / _DEEP)
    outside = (values < 0) | (values > white) | ~np.isfinite(values)
    if outside.any():
        raise InputError(
            f"{name}a pixel is {values[outside][0]:g}; allowed with white={white:g}: 0 to {white:g}"
        )
    return (values * (255 / white)).round().astype(np.uint8)


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
    with av.open(str(path), metadata_errors="ignore", options=dict(STILLS)) as container:
        check_stream(path, container.streams.video[0])
        frame = next(container.decode(video=0))
        return frame.to_ndarray(format="rgba64le")
