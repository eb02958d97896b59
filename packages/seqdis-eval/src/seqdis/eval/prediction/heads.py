"""The small networks that read a sequence's factors: of time series, as the published protocols have them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["LabelHead", "OutcomeHead", "QuantityHead"]


class OutcomeHead(nn.Module):
    """``w·dropout(relu(W [LSTM(d)^last, s]))``: the logit of an outcome, from both factors.

    Args:
        static: Size of the static factor, S.
        dynamic: Width of one step of the dynamics, or of one window of them.
    """

    def __init__(self, *, static: int, dynamic: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dynamic, 32, batch_first=True)
        self.layers = nn.Sequential(nn.Linear(32 + static, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 1))

    def forward(self, static: Tensor, dynamic: Tensor, last: Tensor) -> Tensor:
        """``(B, S)``, ``(B, T, D)`` and the place of each sequence's last step, ``(B,)``, to ``(B,)``."""
        h = self.lstm(dynamic)[0]
        end = h[torch.arange(len(h), device=h.device), last]
        logit: Tensor = self.layers(torch.cat([end, static], dim=1))
        return logit[:, 0]


class QuantityHead(nn.Module):
    """Batch norm, then layers of 32, 8 and 1 with leaky ReLU between: a number from the factors of a window.

    Args:
        inputs: Width of the static factor and of the window's dynamics together.
    """

    def __init__(self, *, inputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(inputs),
            nn.Linear(inputs, 32),
            nn.LeakyReLU(),
            nn.Linear(32, 8),
            nn.LeakyReLU(),
            nn.Linear(8, 1),
        )

    def forward(self, factors: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B,)``."""
        value: Tensor = self.layers(factors)
        return value[:, 0]


class LabelHead(nn.Module):
    """``W₂·relu(W₁·s)``: a label's logits from the static factor alone.

    Args:
        inputs: Size of the static factor, S.
        classes: Number of classes, K.
        hidden: Between the layers; the papers do not give it.
    """

    def __init__(self, *, inputs: int, classes: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, static: Tensor) -> Tensor:
        """``(B, S)`` to ``(B, K)``."""
        logits: Tensor = self.layers(static)
        return logits
