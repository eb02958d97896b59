"""Which clips meet in a conditional swap."""

from __future__ import annotations

import torch

from seqdis.core.errors import InputError

__all__ = ["fixed_pairs"]


def fixed_pairs(n: int, *, seed: int = 0, count: int | None = None) -> list[tuple[int, int]]:
    """A fixed list of pairs ``(static, dynamic)`` of different clips out of ``n``.

    The pairs are neighbours on a random circle through all clips, so that each clip lends its
    static factor once and its dynamics once.

    Args:
        n: Number of clips.
        seed: Fixes the list.
        count: Only the first so many pairs; all ``n`` when omitted or larger.

    Raises:
        InputError: There are fewer than two clips, or ``count`` is not positive.
    """
    if n < 2 or (count is not None and count < 1):
        raise InputError(f"swaps need at least 2 clips and 1 pair; got {n} and {count}")
    circle = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return list(zip(circle, circle[1:] + circle[:1], strict=True))[:count]
