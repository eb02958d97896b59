from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdis.core.nn.spatial_transformer import CrossAttention, SpatialTransformer


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("width", [16, 128])
def test_cross_attention_against_its_formula(width: int) -> None:
    torch.manual_seed(0)
    layer = CrossAttention(width, 6)
    heads = max(1, width // 64)
    assert layer.heads == heads
    h, c = draw(2, 9, width), draw(2, 3, 6, seed=1)
    q, (k, v) = layer.to_q(h), layer.to_kv(c).chunk(2, dim=2)
    size, parts = width // heads, []
    for i in range(heads):
        own = slice(i * size, (i + 1) * size)
        weights = (q[..., own] @ k[..., own].mT / math.sqrt(size)).softmax(-1)
        parts.append(weights @ v[..., own])
    torch.testing.assert_close(layer(h, c), layer.out(torch.cat(parts, 2)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("self_attention", [True, False])
def test_positions_see_each_other_only_with_self_attention(self_attention: bool) -> None:
    torch.manual_seed(0)
    layer = SpatialTransformer(8, context=6, self_attention=self_attention)
    x, c = draw(1, 8, 4, 4), draw(1, 2, 6, seed=1)
    moved = x.clone()
    # Two channels of one group and one place, so that the group's mean and variance stay as they are.
    moved[0, [0, 1], 1, 2] = x[0, [1, 0], 1, 2]
    changed = (layer(moved, c) - layer(x, c)).abs().amax((0, 1)) > 1e-6
    assert changed[1, 2]
    assert int(changed.sum()) == (16 if self_attention else 1)


def test_every_position_sees_the_tokens() -> None:
    torch.manual_seed(0)
    layer = SpatialTransformer(8, context=6, self_attention=False)
    x, c = draw(1, 8, 4, 4), draw(1, 2, 6, seed=1)
    assert ((layer(x, c + 1) - layer(x, c)).abs().amax((0, 1)) > 1e-5).all()
