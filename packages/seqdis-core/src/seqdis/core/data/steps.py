"""Which steps and entries of a batch count, and a random choice among the steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack, rand
from seqdis.core.sequences import Sequences

__all__ = ["entry_weights", "subsample_frames", "zero_unobserved"]


def zero_unobserved(y: Tensor, mask: Tensor | None, observed: Tensor | None) -> Tensor:
    """Frames in model space ``(B, V, *latent)`` with zeros, their mean, where nothing was measured.

    Raises:
        InputError: ``observed`` is of another shape.
    """
    if observed is not None:
        if observed.shape != y.shape:
            raise InputError(f"observed: shape {tuple(observed.shape)}; allowed: {tuple(y.shape)}")
        y = y * observed.to(y.device)
    if mask is not None:
        y = y * mask.to(y.device).view(*mask.shape, *(1,) * (y.ndim - 2))
    return y


def entry_weights(batch: Sequences, y: Tensor) -> Tensor | None:
    """Weights that broadcast over ``y (B, V, *latent)``: 0 where nothing was measured; None if all count."""
    if batch.mask is None and batch.observed is None:
        return None
    weight = y.new_ones(y.shape[:2] + (1,) * (y.ndim - 2))
    if batch.mask is not None:
        weight = weight * batch.mask.view(weight.shape)
    return weight if batch.observed is None else weight * batch.observed


def subsample_frames(
    values: Sequence[Tensor],
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    keep: int,
    generator: GeneratorStack,
) -> tuple[list[Tensor], Tensor | None]:
    """The same ``keep`` random steps of each of ``values (B, V, …)``, and their weights.

    The mean over what was picked is an unbiased estimate of the mean over all of it, of padded sequences too.

    Args:
        values: At least one.
        weight: See :func:`entry_weights`.
        mask: Which steps exist, ``(B, V)``; these come first.
        keep: K, at most V.
        generator: One stream a sequence.
    """
    first = values[0]
    order = rand(first.shape[:2], generator=generator, device=first.device)
    if mask is not None:
        order = order + (~mask.bool())
    chosen = order.topk(keep, dim=1, largest=False, sorted=False).indices
    rows = torch.arange(len(first), device=first.device)[:, None]
    if weight is not None:
        weight = weight[rows, chosen]
        if mask is not None:
            # K of n existing steps stand for all n: without this, short sequences would count for more.
            existing = mask.sum(1).clamp(min=1)
            share = existing / existing.clamp(max=keep) * (keep / mask.shape[1])
            weight = weight * share.view(-1, *(1,) * (weight.ndim - 1))
    return [value[rows, chosen] for value in values], weight
