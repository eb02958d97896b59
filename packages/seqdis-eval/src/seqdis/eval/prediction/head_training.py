"""Training a head on factors, up to its last epoch or to the best one on held-out sequences."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from seqdis.core.analysis import evaluating
from seqdis.core.random import mix_seed

__all__ = ["Examples", "fit_head", "new_head", "standardised"]

H = TypeVar("H", bound=nn.Module)
Examples = tuple[Tensor, ...]
"""The head's inputs and, at the end, what it ought to give: each ``(N, …)``."""


def new_head(make: Callable[[], H], *, seed: int) -> H:
    """A head whose first weights the seed alone decides."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 1))
        return make()


def fit_head(
    head: nn.Module,
    train: Examples,
    *,
    loss: Callable[[Tensor, Tensor], Tensor],
    epochs: int,
    batch_size: int,
    seed: int,
    val: Examples | None = None,
    lr: float = 1e-3,
) -> nn.Module:
    """Train a head with Adam from the weights that it has; the same seed gives the same head (on one CPU).

    Args:
        head: Is changed, and returned in evaluation mode.
        train: Examples to learn from.
        loss: ``loss(head(*inputs), target)``, a mean over the batch.
        epochs: Number of epochs in all.
        batch_size: Examples a step.
        seed: Seed of the order and of dropout.
        val: The epoch with the lowest loss on these is kept; the last one when omitted.
        lr: Learning rate of Adam.
    """
    optimizer = torch.optim.Adam(head.parameters(), lr=lr, foreach=True)
    generator = torch.Generator().manual_seed(mix_seed(seed, 2))
    best, best_state = float("inf"), copy.deepcopy(head.state_dict())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 3))  # dropout knows no generator
        for _ in range(epochs):
            head.train()
            for rows in _batches(torch.randperm(len(train[-1]), generator=generator), batch_size):
                *inputs, target = (part[rows] for part in train)
                optimizer.zero_grad()
                loss(head(*inputs), target).backward()
                optimizer.step()
            if val is None:
                continue
            *inputs, target = val
            with evaluating(head):
                error = float(loss(head(*inputs), target))
            if error < best:
                best, best_state = error, copy.deepcopy(head.state_dict())
    if val is not None:
        head.load_state_dict(best_state)
    return head.eval()


def _batches(order: Tensor, size: int) -> list[Tensor]:
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        # Batch norm has no variance of a single example: it joins the batch before.
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def standardised(train: Tensor, others: Sequence[Tensor]) -> list[Tensor]:
    """``(x − μ)/σ`` of the training split and of the others, by the training split's μ and σ of each last entry.

    An entry that is constant there is only centred.
    """
    rows = train.reshape(-1, train.shape[-1]).double()
    mean, std = rows.mean(0), rows.std(0, correction=0)
    std = torch.where(std > 1e-8 * (1 + mean.abs()), std, 1.0)
    return [((part.double() - mean) / std).float() for part in (train, *others)]
