"""A DiffSDA that is small enough to be tested, and sequences for it."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import build_dataset, get_preset


def make(*overrides: str) -> Disentangler:
    torch.manual_seed(0)
    config = apply_overrides(get_preset("toy"), overrides)
    model = build_model(config)
    model.normalizer.fit(build_dataset("toy", config.data, "train"))
    return model.eval()


def batch(count: int = 4, steps: int = 6) -> Tensor:
    return torch.randn(count, steps, 8, generator=torch.Generator().manual_seed(5))


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))
