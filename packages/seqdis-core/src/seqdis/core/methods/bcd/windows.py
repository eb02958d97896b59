"""Windows that overlap by half, which pass long sequences through networks that see W steps."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["HalfOverlap"]


class HalfOverlap:
    """Windows of W steps at every W/2, the last one flush with the end.

    Args:
        total: Number of steps of the sequence, V.
        length: Number of steps of a window, W.

    Raises:
        InputError: The windows are shorter than 2, or longer than the sequence.
    """

    def __init__(self, total: int, length: int) -> None:
        if not 2 <= length <= total:
            raise InputError(f"windows of {length} steps over {total}; allowed: 2 to {total}")
        last = total - length
        starts = torch.tensor([*range(0, last, length // 2), last])
        self.total, self.count = total, len(starts)
        # (n, W): the step at each position of each window.
        self._index = starts[:, None] + torch.arange(length)

    def cut(self, x: Tensor) -> Tensor:
        """``(B, V, …)`` to ``(B·n, W, …)``, the windows of a sequence in a row."""
        return x[:, self._index.to(x.device)].flatten(0, 1)

    def choose(self, parts: Tensor) -> Tensor:
        """``(B·n, W, …)`` to ``(B, V, …)``: each step from the window in which it is furthest from the edges."""
        distance = self._edge_distance()
        window = torch.zeros(self.count, self.total).scatter(1, self._index, distance).argmax(0)
        position = torch.arange(self.total) - self._index[window, 0]
        whole: Tensor = parts.unflatten(0, (-1, self.count))[
            :, window.to(parts.device), position.to(parts.device)
        ]
        return whole

    def blend(self, parts: Tensor) -> Tensor:
        """``(B·n, W, …)`` to ``(B, V, …)``: the mean of the windows, weighted by a step's distance to their edges."""
        each = parts.unflatten(0, (-1, self.count))
        distance = self._edge_distance().to(each)
        weight = distance.view(self.count, -1, *[1] * (each.ndim - 3))
        index, flat = self._index.flatten().to(parts.device), (each * weight).flatten(1, 2)
        sums = flat.new_zeros(len(flat), self.total, *flat.shape[2:]).index_add_(1, index, flat)
        norm = distance.new_zeros(self.total).index_add_(0, index, distance.flatten())
        return sums / norm.view(-1, *[1] * (each.ndim - 3))

    def _edge_distance(self) -> Tensor:
        """Steps to the nearer edge of the window, from 1, ``(n, W)``; a sequence's own ends are no edges."""
        length = self._index.shape[1]
        position = torch.arange(length)
        to_left, to_right = (position + 1).repeat(self.count, 1), (length - position).repeat(self.count, 1)
        to_left[0], to_right[-1] = length, length
        return torch.minimum(to_left, to_right).float()
