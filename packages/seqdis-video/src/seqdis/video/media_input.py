"""Files opened by Pillow and FFmpeg as the kinds that are meant, and none larger than allowed."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from pathlib import Path

import av
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.core.limits import check_size, limits

__all__ = ["STILLS", "VIDEOS", "check_pixels", "check_stream", "open_picture"]

_PICTURES = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "WEBP", "PPM", "TGA", "JPEG2000", "AVIF", "GIF")
"""Pillow's names of what is read; some of the others start programs, or read files that the content names."""
VIDEOS: Mapping[str, str] = {
    "format_whitelist": "mov,matroska,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,asf,flv,live_flv,ogg,mxf,dv,"
    "yuv4mpegpipe,mjpeg",
    "protocol_whitelist": "file",
}
"""FFmpeg's kinds of videos: a playlist or a script under the name of a video would name other files."""
STILLS: Mapping[str, str] = {
    "format_whitelist": "png_pipe,ppm_pipe,pgm_pipe,tiff_pipe",
    "protocol_whitelist": "file",
}
"""FFmpeg's kinds of single pictures whose full depth is read."""


def open_picture(path: Path) -> Image.Image:
    """Open a picture or animation of a kind that is read, whatever its name says; its pixels are not decoded yet.

    Raises:
        InputError: The picture has more pixels than allowed (limit ``pixels``).
        OSError, ValueError, SyntaxError: The file is damaged, or no such picture.
    """
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and limits().pixels > most:
        Image.MAX_IMAGE_PIXELS = limits().pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(path, formats=_kinds())
        except Image.DecompressionBombError as error:
            raise InputError(f"{path}: {error}; allowed: {limits().pixels} pixels") from error
    try:
        check_pixels(path, *image.size)
    except InputError:
        image.close()
        raise
    return image


@functools.lru_cache(maxsize=1)
def _kinds() -> tuple[str, ...]:
    """The kinds that this build of Pillow knows."""
    Image.init()
    return tuple(kind for kind in _PICTURES if kind in Image.OPEN)


def check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse a picture with more pixels than the limit ``pixels``.

    Raises:
        InputError: The picture has more.
    """
    check_size(path, width * height, "pixels", what=f"pixels ({width}x{height})")


def check_stream(path: Path, stream: av.VideoStream) -> None:
    """Refuse a video whose pictures have more pixels than allowed, also where their size changes midway.

    Raises:
        InputError: The header says a larger size.
    """
    context = stream.codec_context
    if context is None:
        raise InputError(f"{path}: its codec is not known; allowed: videos that FFmpeg decodes")
    check_pixels(path, context.width, context.height)
    context.options = {**context.options, "max_pixels": str(limits().pixels)}
