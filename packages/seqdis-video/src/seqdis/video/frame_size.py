"""The size of the frames that a model takes, where it is left to a person's own clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqdis.core.config import DataConfig
from seqdis.video.index_store import file_version, load_index
from seqdis.video.io import decode_frames
from seqdis.video.options import VideoOptions
from seqdis.video.sampling import fit_image

__all__ = ["complete_frame_shape", "frame_size"]

_SHORT_SIDE = 64
_MULTIPLE = 16
"""What networks that halve their input four times can take."""
_LOOKED_AT = 8
_GREY = 3
"""Levels of 255 by which the colours of a grey frame differ after compression."""


def frame_size(width: int, height: int) -> tuple[int, int]:
    """Height and width of a model's frames for clips of a size: the clip's proportions, with a short side of 64.

    Each side is the nearest multiple of 16, at least 16; clips that are smaller are not enlarged beyond that.

    Args:
        width: Width of the clip as it is shown.
        height: Height of the clip as it is shown.
    """
    scale = min(1.0, _SHORT_SIDE / min(width, height))
    high, wide = (max(_MULTIPLE, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in (height, width))
    return high, wide


def complete_frame_shape(data: DataConfig, path: Path, *, options: VideoOptions) -> DataConfig:
    """Take the frame shape from a clip: :func:`frame_size`, with one channel if it is grey, else three.

    A clip is grey where the three colours of eight frames, evenly spaced, differ by at most 3 of 255 levels.

    Args:
        data: The settings, whose frame shape is open.
        path: The path of the clip.
        options: The options of video.

    Raises:
        InputError: The clip cannot be used.
    """
    index = load_index(path, file_version(path))
    height, width = frame_size(index.width, index.height)
    numbers = np.unique(np.linspace(0, len(index.stamps) - 1, _LOOKED_AT).round().astype(int))
    spread = 0
    for decoded in decode_frames(path, index, numbers, options=options):
        pixels = fit_image(decoded.image, height=height, width=width, fit=options.fit, aspect=decoded.aspect)
        spread = max(spread, int(np.ptp(pixels.astype(int), axis=-1).max()))
    channels = 1 if spread <= _GREY else 3
    return data.model_copy(update={"frame_shape": (channels, height, width)})
