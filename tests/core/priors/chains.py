"""Codes that are Markov chains, whose likelihood is known, and a small prior for them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seqdis.core.factors import Extra, Factors
from seqdis.core.priors.autoregressive import AutoregressivePrior
from seqdis.core.priors.autoregressive_config import AutoregressiveConfig

STEPS, CODES = 6, 3
CHAINS = torch.tensor([
    [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]],  # of the content −1: mostly 0 → 1 → 2 → 0
    [[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.0, 0.5, 0.5]],  # of the content +1
])  # fmt: skip
BOOK = torch.tensor([
    [[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0]],
    [[5.0, 5.0], [5.5, 4.5], [4.0, 6.0]],
])  # fmt: skip
"""Two groups of three entries of two numbers each, far from the scale of 1."""


def seed(value: int) -> torch.Generator:
    return torch.Generator().manual_seed(value)


def look_up(codes: Tensor) -> Tensor:
    return torch.cat([BOOK[group][codes[..., group]] for group in range(codes.shape[-1])], dim=-1)


def coded(static: Tensor, codes: Tensor) -> Factors:
    return Factors(static, look_up(codes), {"codes": Extra(codes, "dynamic")})


def chains(count: int, value: int, steps: int = STEPS) -> Factors:
    """The first group is the content's chain, begun anywhere; the second stays with 0.75 and else moves up."""
    g = seed(value)
    which = torch.randint(2, (count,), generator=g)
    first, second = torch.randint(CODES, (2, count), generator=g)
    codes = [torch.stack([first, second], dim=1)]
    for _ in range(steps - 1):
        p = CHAINS[which, codes[-1][:, 0]]
        moved = (codes[-1][:, 1] + (torch.rand(count, generator=g) > 0.75)) % CODES
        codes.append(torch.stack([torch.multinomial(p, 1, generator=g)[:, 0], moved], dim=1))
    return coded(2 * which[:, None].float() - 1, torch.stack(codes, dim=1))


def small(factors: Factors, **changes: Any) -> AutoregressivePrior:
    values = {"width": 32, "depth": 2, "heads": 2, "dropout": 0, "subsampling": 0, "batch_size": 128}
    config = AutoregressiveConfig.model_validate({**values, "lr": 4e-3, "epochs": 10, **changes})
    return AutoregressivePrior.for_factors(config, factors, codebook=BOOK)


def drawn_codes(factors: Factors) -> Tensor:
    return factors.extras["codes"].value
