"""The sequence part of DiffSDA's encoder: two LSTMs from frame features to static and dynamic."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["FactorLSTM", "remember", "reverse_valid"]


@torch.no_grad()
def remember(lstm: nn.LSTM, steps: int) -> None:
    """Set the gates' biases so that the cells keep their content for 1 to ``steps`` steps before training.

    ``b_f = ln u``, ``u ~ U(1, steps − 1)``, ``b_i = −b_f`` (Tallec & Ollivier 2018, Eq. 16, "chrono"). A cell's memory
    is left with the share ``σ(b_f)`` after a step: half with torch's own biases near 0.

    Args:
        lstm: An LSTM of one layer and one direction, changed in place.
        steps: The longest time that a cell keeps its content, at least 3.
    """
    width = lstm.hidden_size
    bias = torch.empty(width).uniform_(1, steps - 1).log()
    own = dict(lstm.named_parameters())
    own["bias_hh_l0"][: 2 * width] = 0
    own["bias_ih_l0"][: 2 * width] = torch.cat([-bias, bias])  # torch has input, forget, cell, output


def reverse_valid(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the first ``lengths[b]`` steps of each sequence ``(B, V, C)``; padding stays behind them."""
    steps = torch.arange(x.shape[1], device=x.device)
    index = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    return x.gather(1, index[..., None].expand_as(x))


class FactorLSTM(nn.Module):
    """``h = LSTM₁(f)``, ``s = W_s h^V``, ``d = W_d LSTM₂(h)`` (DiffSDA, Sec. 3.2), with layer norms between.

    Args:
        hidden: Width of the frame features and of both LSTMs.
        static: Width of the static factor, S.
        dynamic: Width of the dynamic factor, D.
        causal: Whether LSTM₁ reads forward only, so that ``d^τ`` depends on frames up to τ (Eq. 2);
            otherwise it reads both ways and ``s`` comes from its two end states.
        shared: Whether a sequence has one ``s``; otherwise each step has its own, from ``h^τ``.
        memory: Steps for which LSTM₁ keeps what it has seen before training (:func:`remember`); torch's own
            biases when omitted.
    """

    def __init__(
        self,
        hidden: int,
        static: int,
        dynamic: int,
        *,
        causal: bool = True,
        shared: bool = True,
        memory: int | None = None,
    ) -> None:
        super().__init__()
        self.shared = shared
        self.forward_lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.backward_lstm = None if causal else nn.LSTM(hidden, hidden, batch_first=True)
        width = hidden if causal else 2 * hidden
        self.dynamic_lstm = nn.LSTM(width, hidden, batch_first=True)
        self.to_static = nn.Linear(width, static)
        self.to_dynamic = nn.Linear(hidden, dynamic)
        # The state of a fresh LSTM is small (about 0.1), that of one on top of another smaller still,
        # and the denoiser would take long to notice the dynamics: every stage works at unit scale.
        self.norm_features = nn.LayerNorm(hidden)
        self.norm_states = nn.LayerNorm(width)
        self.norm_dynamic = nn.LayerNorm(hidden)
        for layer in (self.to_static, self.to_dynamic):
            nn.init.normal_(layer.weight, std=1 / math.sqrt(layer.in_features))
        for lstm in (self.forward_lstm, self.backward_lstm):
            if lstm is not None and memory is not None:
                remember(lstm, memory)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features ``(B, V, hidden)`` and, for padded sequences, ``mask (B, V)``.

        Returns:
            ``s (B, S)``, or ``(B, V, S)`` when not shared, and ``d (B, V, D)``.
        """
        batch, steps = features.shape[:2]
        positions = torch.arange(steps, device=features.device)
        if mask is None:
            lengths = features.new_full((batch,), steps, dtype=torch.long)
        else:
            lengths = ((positions + 1) * mask).amax(1).clamp(min=1)
        features = self.norm_features(features)
        h = self.forward_lstm(features)[0]
        last = h[torch.arange(batch, device=h.device), lengths - 1]
        if self.backward_lstm is not None:
            backward = reverse_valid(self.backward_lstm(reverse_valid(features, lengths))[0], lengths)
            last = torch.cat([last, backward[:, 0]], dim=1)
            h = torch.cat([h, backward], dim=2)
        h = self.norm_states(h)
        static = self.to_static(self.norm_states(last) if self.shared else h)
        return static, self.to_dynamic(self.norm_dynamic(self.dynamic_lstm(h)[0]))
