"""Pairs of sequences for swaps."""

from __future__ import annotations

import torch

from seqdis.core.data.differing_clips import Differences
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError

__all__ = ["differing_pairs", "fixed_pairs"]


def fixed_pairs(n: int, *, seed: int = 0, count: int | None = None) -> list[tuple[int, int]]:
    """A fixed list of pairs ``(static, dynamic)`` of different clips out of ``n``.

    The pairs are neighbours on a random circle through all clips, so that each clip gives its
    static factor to one swap and its dynamics to another.

    Args:
        n: Number of clips.
        seed: Seed that fixes the list.
        count: Number of pairs to take from the front of the list; all ``n`` when omitted or larger.

    Raises:
        InputError: There are fewer than two clips, or ``count`` is not positive.
    """
    if n < 2 or (count is not None and count < 1):
        raise InputError(f"swaps need at least 2 clips and 1 pair; got {n} and {count}")
    circle = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return list(zip(circle, circle[1:] + circle[:1], strict=True))[:count]


def differing_pairs(
    dataset: SequenceDataset, count: int, *, generator: torch.Generator
) -> list[tuple[int, int]]:
    """Random pairs of sequences that differ in both factors as far as is known, where a swap shows most.

    Args:
        dataset: Dataset of the sequences, whose labels are compared.
        count: Largest number of pairs; no sequence is in two of them.
        generator: Source of the random order in which sequences are considered.
    """
    order = torch.randperm(len(dataset), generator=generator).tolist()
    left, pairs = order[: 8 * count], []
    apart = Differences.of(dataset, left)
    for _ in range(min(count, len(left) // 2)):
        first = left.pop(0)
        second = max(left, key=lambda other: apart.between(first, other))
        left.remove(second)
        pairs.append((first, second))
    return pairs
