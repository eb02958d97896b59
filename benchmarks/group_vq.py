"""Group VQ against vector-quantize-pytorch, at the size of BCD's LRS3 model.

    python benchmarks/group_vq.py --json group_vq.json

32 clips of 50 frames, 64 groups of 32 entries of 16 channels (BCD, Tab. A7), in training. Both sides do the same
work: distances, a stochastic draw of an entry for each group, its gradient to the input, gradients of the codebook,
and the entropy of the batch's probabilities. The peer does so with ``learnable_codebook``, ``stochastic_sample_codes``,
``codebook_diversity_loss_weight`` (the entropy) and ``commitment_weight`` (without which its codebook does not learn),
without its EMA and rotation trick, in two forms: ``GroupedResidualVQ``, which loops over quantisers, and
``VectorQuantize`` with a head and a codebook a group, which has no loop. Its gradient skips the draw, ours is that of
the Gumbel-softmax.

Frames a second: so the ratio is the peer's time over ours. Frames a MiB of peak memory: so that ratio is the peer's
memory over ours. Ours and the peer take turns, for a busy machine slows both alike; a ratio of speeds is the median of
the turns'. Peak memory is the most that is allocated at a time within a step, beyond what was there before: by the
allocator's events in ``torch.profiler`` on a CPU, by ``torch.cuda.max_memory_allocated`` on a GPU.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from timing.turns import seconds_in_turns
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from seqdis.core.quantize import GroupVectorQuantizer
from seqdis.core.random import GeneratorStack
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

CLIPS, STEPS, GROUPS, ENTRIES, DIM = 32, 50, 64, 32, 16
Step = Callable[[], Any]


class Ours(nn.Module):
    """The quantiser and the sum of its groups' entropies."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self.quantizer = GroupVectorQuantizer(groups=GROUPS, codes=ENTRIES, dim=DIM)
        self.device = device

    def forward(self, m: Tensor) -> tuple[Tensor, Tensor]:
        out = self.quantizer(m, generator=GeneratorStack.shard(0, CLIPS, slice(0, CLIPS), self.device))
        return out.z, out.entropy_bits.sum()


class Peer(nn.Module):
    """A quantiser of the peer's and the sum of its losses, of which the entropy is one."""

    def __init__(self, quantizer: nn.Module) -> None:
        super().__init__()
        self.quantizer = quantizer

    def forward(self, m: Tensor) -> tuple[Tensor, Tensor]:
        z, _, losses = self.quantizer(m)
        return z, losses.sum()


def peers() -> dict[str, nn.Module]:
    """The peer's two forms.

    Raises:
        ImportError: vector-quantize-pytorch is not installed.
    """
    from vector_quantize_pytorch import GroupedResidualVQ, VectorQuantize

    options: dict[str, Any] = {
        "dim": GROUPS * DIM,
        "codebook_size": ENTRIES,
        "learnable_codebook": True,
        "ema_update": False,
        "rotation_trick": False,
        "stochastic_sample_codes": True,
        "commitment_weight": 1.0,
        "codebook_diversity_loss_weight": 1.0,
        "codebook_diversity_temperature": 1.0,
    }
    heads = VectorQuantize(heads=GROUPS, codebook_dim=DIM, separate_codebook_per_head=True, **options)
    grouped = GroupedResidualVQ(groups=GROUPS, num_quantizers=1, **options)
    return {"GroupedResidualVQ": Peer(grouped), "VectorQuantize, heads": Peer(heads)}


def steps_of(module: nn.Module, m: Tensor, direction: Tensor) -> dict[str, Step]:
    """A training step's forward pass, and both passes."""

    def forward() -> Tensor:
        z, loss = module(m)
        total: Tensor = (z * direction).mean() + loss
        return total

    def both() -> None:
        m.grad = None
        module.zero_grad()
        forward().backward()

    return {"forward": forward, "forward and backward": both}


def peak_mib(step: Step, device: torch.device) -> float:
    """The most that is allocated at a time within a step, beyond what was there before."""
    step()
    if device.type == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        step()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        recorded.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    changes = sorted((e["ts"], e["args"]["Bytes"]) for e in events if e.get("name") == "[memory]")
    level = peak = 0
    for _, change in changes:
        level += change
        peak = max(peak, level)
    return peak / 2**20


def compare(
    name: str, ours: dict[str, Step], peer: dict[str, Step], device: torch.device, runs: int
) -> list[BenchmarkRow]:
    """Rows of one form of the peer."""
    rows, frames = [], CLIPS * STEPS
    for case in ours:
        taken = seconds_in_turns({"ours": ours[case], "peer": peer[case]}, turns=runs)
        ratio = statistics.median(
            theirs / own for own, theirs in zip(taken["ours"], taken["peer"], strict=True)
        )
        speed = frames / statistics.median(taken["peer"])
        memory = [frames / peak_mib(step, device) for step in (ours[case], peer[case])]
        rows += [
            BenchmarkRow(case=f"{case}, {name}", unit="frames_per_s", ours=ratio * speed, peer=speed),
            BenchmarkRow(case=f"{case}, {name}", unit="frames_per_mib", ours=memory[0], peer=memory[1]),
        ]
        print(
            f"{case:21} {name:22} {ratio:5.2f} times as fast, {rows[-1].ratio:5.2f} times less memory",
            flush=True,
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device, rows = torch.device(options.device), []
    torch.manual_seed(0)
    m = torch.randn(CLIPS, STEPS, GROUPS * DIM, device=device, requires_grad=True)
    direction = torch.randn(m.shape, device=device)
    ours = steps_of(Ours(device).to(device).train(), m, direction)
    try:
        beside = peers()
    except ImportError:
        parser.error("vector-quantize-pytorch is not installed: there is no peer to compare with")
    for name, peer in beside.items():
        rows += compare(name, ours, steps_of(peer.to(device).train(), m, direction), device, options.runs)
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)


if __name__ == "__main__":
    main()
