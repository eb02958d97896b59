"""From frame features to both factors: static from one frame, dynamics from differences to the first (DiViD)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from seqdis.core.data.steps import existing_first, take_steps
from seqdis.core.errors import InputError
from seqdis.core.nn.recurrent import reverse_valid
from seqdis.core.nn.static_frames import static_of_frames
from seqdis.core.random import GeneratorStack

__all__ = ["ResidualEncoder"]


class ResidualEncoder(nn.Module):
    """``s = g(f^1)``, ``d^{1:V} = W_d LN(h + MHA(h))``, ``h = biLSTM(f^{1:V} − f^1)`` (DiViD, Sec. 3.2 and 4.1).

    ``g`` is a two-layer ReLU MLP and a linear layer. The static factor sees the first frame alone, the
    dynamics what changes against it; nothing else keeps them apart.

    A layer norm of the frame features, which the paper does not mention, stands in front: the difference of two
    frames starts small, and the dynamics would be noticed late.

    With ``static_frames="random"``, which is not in the paper either, ``s = g(f^k)`` of a frame k drawn anew for each
    sequence of a batch, and ``s = mean_τ g(f^τ)`` where nothing is drawn. The same s must then serve for whatever the
    frame shows the sequence doing, ``g`` is trained on all frames, and the mean of its answers errs less than one.

    Args:
        features: Width of a frame's feature ``f``.
        static: Width of the static factor, S.
        dynamic: Width of the dynamic factor, D.
        hidden: Width of the MLP's two layers.
        width: Width of the LSTM's two directions together, and of the attention.
        heads: Number of attention heads.
        residual: Whether the first frame is subtracted; without it the LSTM reads ``f^{1:V}`` (ablation).
        static_frames: Frame that ``s`` is read from: the ``"first"`` one, or a ``"random"`` one.

    Raises:
        InputError: The width is odd, or the heads do not divide it.
    """

    def __init__(
        self,
        features: int,
        static: int,
        dynamic: int,
        *,
        hidden: int = 1024,
        width: int = 256,
        heads: int = 8,
        residual: bool = True,
        static_frames: Literal["first", "random"] = "first",
    ) -> None:
        super().__init__()
        if width % 2 or width % heads:
            raise InputError(
                f"an encoder of width {width} with {heads} heads; the width must be even and the heads divide it"
            )
        self.residual, self.static_frames = residual, static_frames
        self.norm_features = nn.LayerNorm(features)
        self.to_static = nn.Sequential(
            nn.Linear(features, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, static),
        )
        self.forward_lstm = nn.LSTM(features, width // 2, batch_first=True)
        self.backward_lstm = nn.LSTM(features, width // 2, batch_first=True)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm = nn.LayerNorm(width)
        self.to_dynamic = nn.Linear(width, dynamic)
        # Unit scale through every layer, so that both factors speak up from the start.
        for layer in (*self.to_static, self.to_dynamic):
            if isinstance(layer, nn.Linear):
                gain = 1.0 if layer in (self.to_static[-1], self.to_dynamic) else math.sqrt(2)
                nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.in_features))

    def forward(
        self, features: Tensor, mask: Tensor | None = None, rows: GeneratorStack | None = None
    ) -> tuple[Tensor, Tensor]:
        """Features ``(B, V, features)`` and, where steps are missing, ``mask (B, V)``; the first frame is the first one there.

        Args:
            features: Features of all frames.
            mask: True where a step exists; all do when omitted.
            rows: Source of the frames that ``s`` is read from, one stream a sequence; without it nothing is drawn.

        Returns:
            ``s (B, S)`` and ``d (B, V, D)``.
        """
        f = self.norm_features(features)
        if mask is not None:
            order, back = existing_first(mask)
            f, mask = take_steps(f, order), take_steps(mask, order)
        first = f[:, :1]
        r = f - first if self.residual else f
        lengths = torch.full((len(f),), f.shape[1], device=f.device) if mask is None else mask.sum(1)
        forward = self.forward_lstm(r)[0]
        backward = reverse_valid(self.backward_lstm(reverse_valid(r, lengths))[0], lengths)
        h = torch.cat([forward, backward], dim=2)
        ignored = None if mask is None else ~mask.bool()
        attended = self.attention(h, h, h, key_padding_mask=ignored, need_weights=False)[0]
        dynamic = self.to_dynamic(self.norm(h + attended))
        static: Tensor
        if self.static_frames == "first":
            static = self.to_static(f[:, 0])
        else:
            static = static_of_frames(self.to_static, f, mask, rows)
        return static, dynamic if mask is None else take_steps(dynamic, back)
