"""Gradient reversal: a network that learns to read a factor teaches its encoder to hide what it reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["reverse_gradient"]


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        return -gradient


def reverse_gradient(x: Tensor) -> Tensor:
    """``x`` itself, with ``∂/∂x := −1``: what lies behind it minimises a loss that all before it maximises.

    Ganin & Lempitsky 2015, Eq. 8-9, "Unsupervised domain adaptation by backpropagation".
    """
    out: Tensor = _Reversal.apply(x)  # type: ignore[no-untyped-call]
    return out
