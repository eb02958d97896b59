"""DSVAE's posteriors: of the static factor, and of the dynamic one in the paper's two forms."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.recurrent import reverse_valid

__all__ = ["BidirectionalLSTM", "FrameDynamics", "GaussianHead", "SequenceDynamics", "StaticPosterior"]


class BidirectionalLSTM(nn.Module):
    """Two LSTMs, one from the first step to the last, one from the last that exists to the first.

    Args:
        inputs: Width of what is read at a step.
        hidden: Width of each LSTM.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.forward_lstm = nn.LSTM(inputs, hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Read ``x (B, V, inputs)`` of ``lengths (B,)`` steps; steps behind them reach none of the others.

        Returns:
            The states of both directions in the order of the steps, each ``(B, V, hidden)``.
        """
        backward = self.backward_lstm(reverse_valid(x, lengths))[0]
        return self.forward_lstm(x)[0], reverse_valid(backward, lengths)


class GaussianHead(nn.Module):
    """``(μ, ln σ²) = W h + b``, a linear layer that may have a layer norm in front.

    Args:
        inputs: Width of ``h``.
        size: Width of the Gaussian.
        layer_norm: Normalise ``h``, whose means then begin at unit scale and whose variances begin at 1.
    """

    def __init__(self, inputs: int, size: int, *, layer_norm: bool) -> None:
        super().__init__()
        self.norm: nn.Module = nn.LayerNorm(inputs) if layer_norm else nn.Identity()
        self.to_parameters = nn.Linear(inputs, 2 * size)
        if layer_norm:
            means, log_variances = self.to_parameters.weight.data.chunk(2)
            nn.init.normal_(means, std=1 / math.sqrt(inputs))
            nn.init.zeros_(log_variances)

    def forward(self, h: Tensor) -> DiagonalGaussian:
        """``h (…, inputs)`` to a Gaussian over ``(…, size)``, in float32 for the divergences."""
        return DiagonalGaussian.from_parameters(self.to_parameters(self.norm(h)).float())


class StaticPosterior(nn.Module):
    """``q(s | x^{1:V})`` from the last state forward and the first backward of a bidirectional LSTM (Li & Mandt 2018).

    Args:
        features: Width of a frame's feature.
        hidden: Width of both LSTMs.
        size: Width of the static factor, S.
        layer_norm: Layer norm before the linear layer, as in :class:`GaussianHead`.
    """

    def __init__(self, features: int, hidden: int, size: int, *, layer_norm: bool = False) -> None:
        super().__init__()
        self.lstm = BidirectionalLSTM(features, hidden)
        self.head = GaussianHead(2 * hidden, size, layer_norm=layer_norm)

    def forward(self, features: Tensor, lengths: Tensor) -> DiagonalGaussian:
        """Features ``(B, V, C)`` of ``lengths (B,)`` steps to a Gaussian over ``(B, S)``."""
        forward, backward = self.lstm(features, lengths)
        last = forward[torch.arange(len(forward), device=forward.device), lengths - 1]
        out: DiagonalGaussian = self.head(torch.cat([last, backward[:, 0]], dim=1))
        return out


class FrameDynamics(nn.Module):
    """``q(d^τ | x^τ)``, the factorised form (Li & Mandt 2018): a hidden layer for each frame alone.

    Args:
        features: Width of a frame's feature.
        hidden: Width of the hidden layer.
        size: Width of the dynamic factor, D.
        layer_norm: Layer norm before the linear layer, as in :class:`GaussianHead`.
    """

    def __init__(self, features: int, hidden: int, size: int, *, layer_norm: bool = False) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(features, hidden), nn.LeakyReLU(0.2))
        self.head = GaussianHead(hidden, size, layer_norm=layer_norm)

    def forward(self, features: Tensor, static: Tensor, lengths: Tensor) -> DiagonalGaussian:
        """Features ``(B, V, C)`` to a Gaussian over ``(B, V, D)``; neither ``s`` nor other steps are read."""
        out: DiagonalGaussian = self.head(self.hidden(features))
        return out


class SequenceDynamics(nn.Module):
    """``q(d^{1:V} | s, x^{1:V})``, the full form (Li & Mandt 2018): a bidirectional LSTM, a recurrent network on top.

    Given ``s`` and the clip, the steps are independent Gaussians.

    Args:
        features: Width of a frame's feature.
        hidden: Width of each recurrent layer.
        static: Width of the static factor, S.
        size: Width of the dynamic factor, D.
        layer_norm: Layer norm before the linear layer, as in :class:`GaussianHead`.
    """

    def __init__(
        self, features: int, hidden: int, size: int, *, static: int, layer_norm: bool = False
    ) -> None:
        super().__init__()
        self.lstm = BidirectionalLSTM(features + static, hidden)
        self.rnn = nn.RNN(2 * hidden, hidden, batch_first=True)
        self.head = GaussianHead(hidden, size, layer_norm=layer_norm)

    def forward(self, features: Tensor, static: Tensor, lengths: Tensor) -> DiagonalGaussian:
        """Features ``(B, V, C)`` of ``lengths (B,)`` steps and ``s (B, S)`` to a Gaussian over ``(B, V, D)``."""
        repeated = static[:, None].expand(-1, features.shape[1], -1).to(features)
        states = self.lstm(torch.cat([features, repeated], dim=2), lengths)
        out: DiagonalGaussian = self.head(self.rnn(torch.cat(states, dim=2))[0])
        return out
