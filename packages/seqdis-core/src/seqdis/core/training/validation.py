"""The validation loss: the same noise every time, so that two steps can be compared."""

from __future__ import annotations

import torch
from accelerate import Accelerator
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.random import GeneratorStack, mix_seed

__all__ = ["validation_loss"]

_STREAM = 0x76616C  # keeps these draws apart from those of any training step


@torch.no_grad()
def validation_loss(
    model: Disentangler, dataset: SequenceDataset, *, accelerator: Accelerator, batch_size: int, seed: int
) -> dict[str, float]:
    """Mean loss and terms over a dataset, shared out over the processes batch by batch.

    Args:
        model: A model in evaluation mode, on the accelerator's device.
        dataset: The validation split; its views are those of epoch 0.
        accelerator: The accelerator, which sets precision and processes.
        batch_size: Number of sequences in a pass.
        seed: The seed that fixes the noise of every sequence.
    """
    sums: dict[str, Tensor] = {}
    for i, start in enumerate(range(0, len(dataset), batch_size)):
        indices = range(start, min(start + batch_size, len(dataset)))
        # Names of the terms must be known to every process: each one computes the first batch.
        mine = i % accelerator.num_processes == accelerator.process_index
        if i and not mine:
            continue
        batch = dataset.fetch(indices).to(accelerator.device)
        # A stream a sequence: the loss depends neither on the batch size nor on the processes.
        rows = GeneratorStack.each(
            [torch.Generator(accelerator.device).manual_seed(mix_seed(seed, _STREAM, j)) for j in indices]
        )
        # Not model(...): that is the compiled, or the distributed, entrance.
        output = model.forward(batch, rows)
        for name, value in {"loss": output.loss, **output.terms}.items():
            share = value.detach().double().cpu() * (len(batch) * mine)
            sums[name] = sums.get(name, torch.zeros_like(share)) + share
    # float32 on the way: gloo and NCCL take it on every device.
    total = torch.stack(list(sums.values())).div(len(dataset)).float().to(accelerator.device)
    if accelerator.num_processes > 1:
        total = accelerator.reduce(total, reduction="sum")
    return dict(zip(sums, total.tolist(), strict=True))
