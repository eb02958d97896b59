"""A static factor read from single frames: from a random one in training, and the mean over all of them afterwards."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.random import GeneratorStack, rand

__all__ = ["static_of_frames"]


def static_of_frames(
    network: Callable[[Tensor], Tensor], frames: Tensor, mask: Tensor | None, rows: GeneratorStack | None
) -> Tensor:
    """``g(f^k)`` of a random frame k of each sequence, or ``mean_τ g(f^τ)`` where nothing is drawn.

    What one frame does not show, the static factor cannot hold: the order of frames, an action. As k is drawn anew at
    each step, ``g`` must say the same of every frame, and the mean of its answers errs less than one.

    Args:
        network: ``g``, from features ``(…, C)`` to ``(…, S)``.
        frames: Features of all frames, ``(B, V, C)``.
        mask: True where a step exists, ``(B, V)``; all do when omitted.
        rows: Source of k, one stream a sequence; without it nothing is drawn.

    Returns:
        ``(B, S)``.
    """
    exists = (
        torch.ones(frames.shape[:2], dtype=torch.bool, device=frames.device) if mask is None else mask.bool()
    )
    count = exists.sum(1)
    if rows is None:
        return (network(frames) * exists[..., None]).sum(1) / count[:, None]
    drawn = (rand((len(frames),), generator=rows, device=frames.device) * count).long()
    chosen = ((exists.cumsum(1) - 1 == drawn[:, None]) & exists).int().argmax(1)
    return network(frames[torch.arange(len(frames), device=frames.device), chosen])
