"""The steps and entries of a batch that count, and a random choice among the steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdis.core.random import GeneratorStack, rand
from seqdis.core.sequences import Sequences

__all__ = [
    "entry_weights",
    "existing_first",
    "existing_steps",
    "subsample_frames",
    "take_steps",
    "valid_entries",
    "zero_unobserved",
]


def valid_entries(sequences: Sequences, y: Tensor) -> Tensor | None:
    """A mask that is True where an entry exists and was measured, broadcasting over ``y``; None if all were.

    Args:
        sequences: Sequences whose ``mask`` and ``observed`` are read.
        y: Frames of these sequences, natural or coded, ``(B, V, …)``.
    """
    mask, observed = sequences.mask, sequences.observed
    if mask is None:
        return None if observed is None else observed.bool()
    exists = mask.bool().view(*mask.shape, *(1,) * (y.ndim - 2))
    return exists if observed is None else exists & observed.bool()


def zero_unobserved(y: Tensor, sequences: Sequences) -> Tensor:
    """``y (B, V, …)`` with 0 in every gap of the sequences, whatever value was there, NaN included."""
    valid = valid_entries(sequences, y)
    return y if valid is None else torch.where(valid.to(y.device), y, y.new_zeros(()))


def entry_weights(sequences: Sequences, y: Tensor) -> Tensor | None:
    """Weights of a loss that broadcast over ``y (B, V, *latent)``: 0 in a gap, else 1; None if there is no gap."""
    valid = valid_entries(sequences, y)
    return None if valid is None else valid.to(y)


def existing_first(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The order of steps that puts the existing ones in front, and the one that puts them back, each ``(B, V)``.

    Both keep the order among the existing steps, so that a mask of padding behind each sequence changes nothing.

    Args:
        mask: True where a step exists, ``(B, V)``.
    """
    order = (~mask.bool()).to(torch.uint8).argsort(dim=1, stable=True)
    return order, order.argsort(dim=1)


def existing_steps(frames: Tensor, mask: Tensor | None) -> list[Tensor]:
    """The frames of each sequence without its padding, ``(V_i, *frame)`` each.

    Args:
        frames: Frames of B sequences, ``(B, V, *frame)``.
        mask: True where a step exists, ``(B, V)``; None where all do.
    """
    if mask is None:
        return list(frames)
    return [
        sequence[exists.to(sequence.device)] for sequence, exists in zip(frames, mask.bool(), strict=True)
    ]


def take_steps(x: Tensor, steps: Tensor) -> Tensor:
    """Steps ``(B, K)`` of ``x (B, V, …)``, ``(B, K, …)``."""
    return x[torch.arange(len(x), device=x.device)[:, None], steps]


def subsample_frames(
    values: Sequence[Tensor],
    weight: Tensor | None,
    mask: Tensor | None,
    *,
    keep: int,
    generator: GeneratorStack,
) -> tuple[list[Tensor], Tensor | None]:
    """Pick ``keep`` random steps, the same ones from each of ``values (B, V, …)``, and their weights.

    The mean over what was picked is an unbiased estimate of the mean over all of it, of padded sequences too.

    Args:
        values: One or more tensors ``(B, V, …)``.
        weight: Weights of the entries, as :func:`entry_weights` gives them.
        mask: True where a step exists, ``(B, V)``; existing steps are picked first.
        keep: Number of steps to pick, K, at most V.
        generator: Source of the draws, one stream a sequence.
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
            # K of n existing steps represent all n: without this, short sequences would count for more.
            existing = mask.sum(1).clamp(min=1)
            share = existing / existing.clamp(max=keep) * (keep / mask.shape[1])
            weight = weight * share.view(-1, *(1,) * (weight.ndim - 1))
    return [value[rows, chosen] for value in values], weight
