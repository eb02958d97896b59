"""An exponential moving average of the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

__all__ = ["EMA"]


class EMA:
    """``θ̄ ← θ̄ + (1 − β_n)(θ − θ̄)`` with ``β_n = min(β, (1 + n) / (10 + n))`` at update n.

    The warm-up of β lets the average forget the initial weights. Buffers and frozen parameters
    are shared with the model.

    Args:
        model: The model whose trainable parameters are averaged, on its present device.
        decay: Weight of the past, β in [0, 1); 0 follows the model exactly.
    """

    def __init__(self, model: nn.Module, *, decay: float) -> None:
        self.decay = decay
        self._parameters: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self._averages = [p.detach().clone() for p in self._parameters]

    @torch.no_grad()
    def update(self, n: int) -> None:
        """Take in the weights after optimiser step ``n`` (counted from 0), without waiting for the device."""
        decay = min(self.decay, (1 + n) / (10 + n))
        torch._foreach_lerp_(self._averages, self._parameters, 1 - decay)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Exchange the model's weights for the averaged ones within a ``with`` block, without a copy."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for i, parameter in enumerate(self._parameters):
            parameter.data, self._averages[i] = self._averages[i], parameter.data

    def keep(self) -> None:
        """Leave the model with the averaged weights for good."""
        self._exchange()
