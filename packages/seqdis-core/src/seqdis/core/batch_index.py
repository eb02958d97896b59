"""Selecting sequences of a batch, by one rule for everything that is batched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

__all__ = ["BatchIndex", "batch_index", "select_entries", "select_names", "select_rows", "select_stamps"]

BatchIndex = int | slice | Tensor | Sequence[int]
"""A choice among the sequences of a batch; an integer keeps the batch dimension."""


def batch_index(index: BatchIndex, size: int) -> slice | Tensor:
    """The index in one of two forms: a slice, which copies nothing, or positions ``(N,)`` on the CPU.

    Args:
        index: A number, a slice, numbers in a list or a tensor, or a boolean tensor ``(size,)``.
        size: The number of sequences, B.

    Raises:
        IndexError: A number is out of range, or a boolean tensor has another length.
    """
    if isinstance(index, slice):
        return index
    if isinstance(index, int):
        if not -size <= index < size:
            raise IndexError(f"index {index} is out of range for {size} sequences")
        return slice(index, index + 1 or None)
    chosen = torch.as_tensor(index).cpu()
    if chosen.dtype == torch.bool:
        if chosen.shape != (size,):
            raise IndexError(f"a boolean index of shape {tuple(chosen.shape)}; allowed: ({size},)")
        return chosen.nonzero()[:, 0]
    chosen = chosen.long().reshape(-1)
    outside = chosen[(chosen < -size) | (chosen >= size)]
    if len(outside):
        raise IndexError(f"index {int(outside[0])} is out of range for {size} sequences")
    return chosen % max(size, 1)


def select_rows(value: Tensor, chosen: slice | Tensor) -> Tensor:
    """Rows of a tensor ``(B, ...)`` on any device."""
    return value[chosen if isinstance(chosen, slice) else chosen.to(value.device)]


def select_names(names: Sequence[str], chosen: slice | Tensor) -> tuple[str, ...]:
    """The names of the chosen sequences; none where there are none."""
    if not names:
        return ()
    return tuple(names[chosen]) if isinstance(chosen, slice) else tuple(names[i] for i in chosen.tolist())


def select_stamps(stamps: np.ndarray | None, chosen: slice | Tensor) -> np.ndarray | None:
    """The time stamps ``(B, V)`` of the chosen sequences, where there are any."""
    return None if stamps is None else select_entries(stamps, chosen)


def select_entries(values: np.ndarray, chosen: slice | Tensor) -> np.ndarray:
    """Rows of an array ``(B, ...)``."""
    return values[chosen if isinstance(chosen, slice) else chosen.numpy()]
