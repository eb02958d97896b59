"""One of two processes that share a batch's rate: ``python shared_rate.py RANK PORT FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from seqdis.core.quantize import GroupVectorQuantizer
from seqdis.core.quantize.bitrate import Bitrate, batch_histogram, entropy_bits
from seqdis.core.random import GeneratorStack


def main() -> None:
    rank, port, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    logits = torch.load(folder / "logits.pt", weights_only=True)
    part = logits[slice(0, 1) if rank == 0 else slice(1, 4)].clone().requires_grad_()  # unequal parts
    histogram = batch_histogram(part.softmax(-1), synchronize=True)
    Bitrate(target=1.0)(entropy_bits(histogram)).loss.backward()  # type: ignore[union-attr]
    torch.manual_seed(0)
    quantizer = GroupVectorQuantizer(
        groups=1, codes=3, dim=2, distance_scale=50.0, reset_dead_codes=2
    ).train()
    for step in range(4):
        rows = GeneratorStack.shard(step, 4, slice(2 * rank, 2 * rank + 2))
        quantizer(
            torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(10 * step + rank)) + 9,
            generator=rows,
        )
    torch.save([histogram.detach(), part.grad, quantizer.codebook.detach()], folder / f"{rank}.pt")
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
