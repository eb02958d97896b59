"""Self-attention over the positions of a feature map."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.nn.norm import group_count

__all__ = ["SpatialSelfAttention"]


class SpatialSelfAttention(nn.Module):
    """``x + W_o · softmax(QKᵀ/√d) V`` over all H·W positions, in heads of (about) 64 channels.

    The output layer starts at zero, so that the layer starts as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = next(h for h in range(max(channels // 64, 1), 0, -1) if channels % h == 0)
        self.norm = nn.GroupNorm(group_count(channels), channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to the same shape."""
        n, c, height, width = x.shape
        q, k, v = self.qkv(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, c // self.heads)).unbind(1)
        heads = F.scaled_dot_product_attention(q.transpose(-1, -2), k.transpose(-1, -2), v.transpose(-1, -2))
        merged = heads.transpose(-1, -2).reshape(n, c, height, width)
        result: Tensor = x + self.out(merged)
        return result
