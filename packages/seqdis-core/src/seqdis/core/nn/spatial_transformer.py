"""The spatial transformer: positions of a feature map attend to each other and to tokens of a condition."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.nn.norm import group_count

__all__ = ["CrossAttention", "SpatialTransformer"]


class CrossAttention(nn.Module):
    """``W_o · softmax(QKᵀ/√d) V``, ``Q = W_q h``, ``K, V = W_k c, W_v c``, in heads of (about) 64 channels.

    Args:
        width: Channels of ``h``, and of the result.
        context: Width of the tokens ``c``; that of ``h`` for self-attention.
    """

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.heads = next(n for n in range(max(width // 64, 1), 0, -1) if width % n == 0)
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_kv = nn.Linear(context, 2 * width, bias=False)
        self.out = nn.Linear(width, width)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, h: Tensor, context: Tensor) -> Tensor:
        """``h (N, P, width)`` and ``context (N, K, context)`` to ``(N, P, width)``."""
        k, v = self.to_kv(context).chunk(2, dim=2)
        heads = F.scaled_dot_product_attention(self._split(self.to_q(h)), self._split(k), self._split(v))
        out: Tensor = self.out(heads.transpose(1, 2).flatten(2))
        return out


class GatedFeedForward(nn.Module):
    """``W_o (a ⊙ gelu(b))``, ``[a, b] = W h``, four times as wide inside (GEGLU, Shazeer 2020)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inside = nn.Linear(width, 8 * width)
        self.out = nn.Linear(4 * width, width)

    def forward(self, h: Tensor) -> Tensor:
        """``(N, P, width)`` to the same shape."""
        value, gate = self.inside(h).chunk(2, dim=2)
        out: Tensor = self.out(value * F.gelu(gate))
        return out


class SpatialTransformer(nn.Module):
    """``x + P_out(T(P_in(GroupNorm(x))), c)`` (Rombach et al. 2022, App. E.2.1; DiViD, Sec. 3.2).

    ``T`` is one layer over the H·W positions as a sequence: self-attention (if asked for), cross-attention
    to the tokens ``c``, gated feed-forward, each after a layer norm and added to its input. The last
    projection does not start at zero: the condition acts through it alone.

    Args:
        channels: C of the feature map.
        context: Width of the tokens.
        self_attention: Whether positions attend to each other.
    """

    def __init__(self, channels: int, *, context: int, self_attention: bool) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(group_count(channels), channels)
        self.inside = nn.Linear(channels, channels)
        self.norm_self = nn.LayerNorm(channels) if self_attention else None
        self.self_attention = CrossAttention(channels, channels) if self_attention else None
        self.norm_cross = nn.LayerNorm(channels)
        self.cross_attention = CrossAttention(channels, context)
        self.norm_feed = nn.LayerNorm(channels)
        self.feed = GatedFeedForward(channels)
        self.outside = nn.Linear(channels, channels)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """``x (N, C, H, W)`` and ``context (N, K, context)`` to the shape of ``x``."""
        h = self.inside(self.norm(x).flatten(2).transpose(1, 2))
        if self.norm_self is not None and self.self_attention is not None:
            seen = self.norm_self(h)
            h = h + self.self_attention(seen, seen)
        h = h + self.cross_attention(self.norm_cross(h), context)
        h = h + self.feed(self.norm_feed(h))
        out: Tensor = x + self.outside(h).transpose(1, 2).unflatten(2, x.shape[2:])
        return out
