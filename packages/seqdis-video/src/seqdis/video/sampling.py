"""Turns pictures of any size into frames of the size that a run asks for."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

__all__ = ["fit_image", "to_grey"]


def to_grey(frames: Tensor) -> Tensor:
    """Luma ``0.299 R + 0.587 G + 0.114 B`` (ITU-R BT.601) of ``(T, 3, H, W)`` uint8, as ``(T, 1, H, W)``.

    Frames that are grey already stay as they are.
    """
    if frames.shape[1] == 1:
        return frames
    red, green, blue = frames.float().unbind(1)
    return (0.299 * red + 0.587 * green + 0.114 * blue).round().to(torch.uint8)[:, None]


def fit_image(
    image: Image.Image,
    *,
    height: int,
    width: int,
    fit: Literal["crop", "pad", "stretch"],
    aspect: float = 1.0,
) -> np.ndarray:
    """Resize one picture with an antialiasing (bicubic) filter.

    Args:
        image: An RGB picture of any size.
        height: Height of the result in pixels.
        width: Width of the result in pixels.
        fit: ``"crop"`` keeps the largest centred part of the right aspect, ``"pad"`` adds black
            bars, ``"stretch"`` distorts.
        aspect: Width of one pixel of the picture over its height, as anamorphic video has it; 1 is square.

    Returns:
        ``(height, width, 3)`` uint8; the picture itself where it has that size already.
    """
    bicubic = Image.Resampling.BICUBIC
    if fit == "stretch":
        return np.asarray(image.resize((width, height), bicubic))
    shown = image.width * aspect, float(image.height)
    scales = (width / shown[0], height / shown[1])
    if fit == "crop":
        w, h = width / max(scales) / aspect, height / max(scales)
        left, top = (image.width - w) / 2, (image.height - h) / 2
        return np.asarray(image.resize((width, height), bicubic, box=(left, top, left + w, top + h)))
    w, h = (max(1, round(side * min(scales))) for side in shown)
    canvas = Image.new("RGB", (width, height))
    canvas.paste(image.resize((w, h), bicubic), ((width - w) // 2, (height - h) // 2))
    return np.asarray(canvas)
