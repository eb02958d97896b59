"""Adaptive group normalisation as one function."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["ada_group_norm"]


def ada_group_norm(
    x: Tensor,
    num_groups: int,
    *,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    gain: Tensor | None = None,
    eps: float = 1e-5,
    activation: Literal["silu"] | None = None,
) -> Tensor:
    """AdaGN: ``activation(gain · (scale · GroupNorm(x; weight, bias, eps) + shift))``.

    There is no hidden ``1 +``; what is None is skipped (DiffSDA, Eq. 9, with ``scale = t_s``,
    ``shift = t_b``, ``gain = z_s``).

    Args:
        x: ``(N, C, *spatial)``.
        num_groups: Divides C.
        weight: ``(C,)``, likewise ``bias``.
        scale: One value a sample and channel, ``(N, C)``, likewise ``shift`` and ``gain``.
        eps: Added to the variance.
        activation: Applied last.

    Raises:
        InputError: The groups do not divide the channels, or a modulation is not ``(N, C)``.
    """
    channels = x.shape[1]
    if channels % num_groups:
        raise InputError(f"ada_group_norm: {channels} channels do not split into {num_groups} groups")
    for name, value in (("scale", scale), ("shift", shift), ("gain", gain)):
        if value is not None and value.shape != x.shape[:2]:
            raise InputError(f"ada_group_norm: {name} is {tuple(value.shape)}; needed: {tuple(x.shape[:2])}")
    y = F.group_norm(x, num_groups, weight, bias, eps)
    # Both factors act on (N, C), which is small: multiply them there, and touch the map once.
    factor = scale if gain is None else gain if scale is None else gain * scale
    offset = shift if gain is None or shift is None else gain * shift
    spatial = (1,) * (x.ndim - 2)
    if factor is not None:
        y = y * factor.view(*factor.shape, *spatial).to(y.dtype)
    if offset is not None:
        y = y + offset.view(*offset.shape, *spatial).to(y.dtype)
    return F.silu(y) if activation == "silu" else y
