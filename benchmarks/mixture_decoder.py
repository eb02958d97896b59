"""VDSM's mixture of decoders: blended weights for all sequences at once, against a loop over sequences.

    python benchmarks/mixture_decoder.py --json mixture_decoder.json

Both decode the same poses and differentiate; they take turns, so that a busy machine slows both alike.
``ours`` is the grouped convolution, ``peer`` the loop, each the median over the turns.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from pathlib import Path

import torch
from timing.turns import seconds_in_turns
from torch import Tensor

from seqdis.core.methods.vdsm import VDSM
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

PRESETS = ("vdsm-pendulum16", "vdsm-sprites32")


def together(model: VDSM, static: Tensor, poses: Tensor) -> None:
    """All sequences as groups of one convolution."""
    model.decoder_output(static, poses).square().mean().backward()
    model.zero_grad()


def in_a_loop(model: VDSM, static: Tensor, poses: Tensor) -> None:
    """One sequence after the other."""
    outputs = [model.decoder_output(s[None], z[None]) for s, z in zip(static, poses, strict=True)]
    torch.cat(outputs).square().mean().backward()
    model.zero_grad()


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
    ways = {way.__name__: partial(way, model, static, poses) for way in (together, in_a_loop)}
    taken = seconds_in_turns(ways, turns=turns)
    ours, peer = (count / statistics.median(times) for times in taken.values())
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
