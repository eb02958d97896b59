"""VDSM's mixture of decoders: blended weights for all sequences at once, against a loop over sequences.

    python benchmarks/mixture_decoder.py --json mixture_decoder.json

Both decode the same poses and differentiate; they take turns, so that a busy machine slows both alike.
``ours`` is the grouped convolution, ``peer`` the loop, each the median over the turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.methods.vdsm import VDSM
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

PRESETS = ("vdsm-pendulum16", "vdsm-sprites32")


def seconds_together(model: VDSM, static: Tensor, poses: Tensor) -> float:
    """All sequences as groups of one convolution."""
    began = time.perf_counter()
    model.decoder_output(static, poses).square().mean().backward()
    return finished(model, began)


def seconds_in_a_loop(model: VDSM, static: Tensor, poses: Tensor) -> float:
    """One sequence after the other."""
    began = time.perf_counter()
    outputs = [model.decoder_output(s[None], z[None]) for s, z in zip(static, poses, strict=True)]
    torch.cat(outputs).square().mean().backward()
    return finished(model, began)


def finished(model: VDSM, began: float) -> float:
    """Seconds since then; waits for the device, and forgets the gradients."""
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    taken = time.perf_counter() - began
    model.zero_grad()
    return taken


def measure(preset: str, *, turns: int, device: torch.device) -> BenchmarkRow:
    """Sequences per second of both."""
    config = get_preset(preset)
    model = build_model(config).to(device)
    if not isinstance(model, VDSM):
        raise TypeError(f"{preset}: not a preset of VDSM")
    count, c = config.train.batch_size, model.config
    g = torch.Generator().manual_seed(0)
    static = torch.randn(count, c.static_dim, generator=g).to(device)
    poses = torch.randn(count, config.data.length, c.pose_dim, generator=g).to(device)
    ways = (seconds_together, seconds_in_a_loop)
    taken: list[list[float]] = [[], []]
    for turn in range(turns + 1):
        for way, times in zip(ways, taken, strict=True):
            seconds = way(model, static, poses)
            if turn:  # the first one warms up
                times.append(seconds)
    ours, peer = (count / statistics.median(times) for times in taken)
    case = f"{preset}, {c.static_dim} experts, {count} sequences of {config.data.length}, with gradients"
    return BenchmarkRow(case=case, unit="sequences_per_s", ours=ours, peer=peer)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device, rows = torch.device(options.device), []
    for preset in options.presets:
        rows.append(measure(preset, turns=options.turns, device=device))
        print(f"{rows[-1].case:64} {rows[-1].ours:8.1f} sequences/s   × {rows[-1].ratio:.2f}", flush=True)
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)


if __name__ == "__main__":
    main()
