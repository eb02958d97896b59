"""One of two processes that share a batch's rate: ``python shared_rate.py RANK PORT FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from seqdis.core.quantize.bitrate import Bitrate, batch_histogram, entropy_bits


def main() -> None:
    rank, port, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    logits = torch.load(folder / "logits.pt", weights_only=True)
    part = logits[slice(0, 1) if rank == 0 else slice(1, 4)].clone().requires_grad_()  # unequal parts
    histogram = batch_histogram(part.softmax(-1), synchronize=True)
    Bitrate(target=1.0)(entropy_bits(histogram)).loss.backward()  # type: ignore[union-attr]
    torch.save([histogram.detach(), part.grad], folder / f"{rank}.pt")
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
