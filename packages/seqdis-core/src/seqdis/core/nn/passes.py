"""Frame-wise networks on long inputs, in passes that fit the memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["FRAMES_A_PASS", "each_frame", "in_passes"]

FRAMES_A_PASS = 32
"""On the CPU more are no faster, and 32 fit the memory."""


def in_passes(function: Callable[..., Tensor], arguments: tuple[Tensor, ...], size: int) -> Tensor:
    """Call a frame-wise function on at most ``size`` frames at a time and join the results."""
    if arguments[0].shape[0] <= size:
        return function(*arguments)
    parts = zip(*(argument.split(size) for argument in arguments), strict=True)
    return torch.cat([function(*part) for part in parts])


def each_frame(function: Callable[[Tensor], Tensor], y: Tensor, *, size: int) -> Tensor:
    """``function`` of every frame, ``(B, V, *frame)`` to ``(B, V, *result)``.

    Without gradients at most ``size`` frames pass at a time, and on the CPU :data:`FRAMES_A_PASS`, so that ``size``
    changes no bit of the result; with them all at once, for they are kept anyway.
    """
    frames = y.flatten(0, 1)
    if torch.is_grad_enabled():
        size = len(frames)
    elif y.device.type == "cpu":
        size = FRAMES_A_PASS
    return in_passes(function, (frames,), size).unflatten(0, y.shape[:2])
