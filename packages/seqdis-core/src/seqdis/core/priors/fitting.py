"""The training loop that priors share."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqdis.core.random import GeneratorStack

__all__ = ["fit_by_epochs"]


def fit_by_epochs(
    module: nn.Module,
    loss: Callable[[Tensor, GeneratorStack], Tensor],
    *,
    count: int,
    epochs: int,
    batch_size: int,
    lr: float,
    weight_decay: float,
    generator: torch.Generator,
    after_step: Callable[[int], None] = lambda step: None,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Minimise a loss over sequences by AdamW, each sequence once an epoch, in an order drawn anew.

    Args:
        module: The network whose parameters are trained.
        loss: The mean loss of the sequences whose numbers ``(N,)`` are given, with one random stream a sequence.
        count: Number of sequences.
        epochs: Number of epochs.
        batch_size: Number of sequences a step.
        lr: AdamW's learning rate.
        weight_decay: AdamW's weight decay.
        generator: Source of the order and of the streams, on the module's device.
        after_step: Called after each step with the number of steps before it.
        progress: Called with epochs done and in all.

    Returns:
        The mean loss of each epoch, ``(epochs,)``, on the CPU.
    """
    device = generator.device
    optimizer = torch.optim.AdamW(module.parameters(), lr, weight_decay=weight_decay)
    losses: list[Tensor] = []
    steps = 0
    module.train()
    for epoch in range(epochs):
        order = torch.randperm(count, generator=generator, device=device)
        total = torch.zeros((), device=device)
        for chosen in order.split(batch_size):
            seed = int(torch.randint(2**62, (), generator=generator, device=device))
            rows = GeneratorStack.shard(seed, len(chosen), slice(0, len(chosen)), device)
            value = loss(chosen, rows)
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            after_step(steps)
            steps += 1
            total += value.detach() * len(chosen)
        losses.append(total / count)
        if progress is not None:
            progress(epoch + 1, epochs)
    module.eval()
    return torch.stack(losses).cpu()
