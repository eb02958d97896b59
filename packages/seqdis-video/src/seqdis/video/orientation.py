"""Pictures turned and mirrored as their file says that they are to be shown."""

from __future__ import annotations

from typing import Any

import av
import numpy as np

__all__ = ["is_upright", "turns_sides", "upright"]

_ENTRIES = 9  # of a display matrix: a b u, c d v, x y w


def upright(pixels: np.ndarray, frame: av.VideoFrame) -> np.ndarray:
    """Turn and mirror a decoded picture by the frame's display matrix, as phones note how they were held.

    The matrix maps a place ``(x, y)`` of the stored picture to ``(a x + c y, b x + d y)`` of the shown one. Of an
    angle that is not a multiple of 90°, the nearest one is taken.

    Args:
        pixels: The stored picture, ``(H, W, 3)``.
        frame: The frame that it comes from.

    Returns:
        The picture as it is shown, ``(H, W, 3)`` or ``(W, H, 3)``.
    """
    a, b, c, d = _matrix(frame)
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels = pixels.transpose(1, 0, 2)
        a, d = c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    if d < 0:
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def turns_sides(frame: av.VideoFrame) -> bool:
    """Whether a frame is shown with its width and height exchanged."""
    a, b, c, d = _matrix(frame)
    return abs(b) + abs(c) > abs(a) + abs(d)


def is_upright(frame: av.VideoFrame) -> bool:
    """Whether a frame is stored as it is shown."""
    a, b, c, d = _matrix(frame)
    return b == c == 0 and a > 0 and d > 0


def _matrix(frame: av.VideoFrame) -> tuple[int, int, int, int]:
    side: Any = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return 1, 0, 0, 1
    values = np.frombuffer(bytes(side), dtype="=i4")
    if len(values) < _ENTRIES or not values[[0, 1, 3, 4]].any():
        return 1, 0, 0, 1
    return int(values[0]), int(values[1]), int(values[3]), int(values[4])
