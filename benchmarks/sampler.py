"""How much of sampling time passes outside the network: levels, sums, preconditioning, Python.

    python benchmarks/sampler.py --json sampler.json

For each preset a model with fresh weights decodes the same factors; the share is
``1 − (time in the network's forward) / (time of the whole sampler)``, the median of several runs.
Both times come from the same run, so a busy machine moves the share little.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch
from torch import nn

from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import build_model
from seqdis.core.methods.diffsda import DiffSDA
from seqdis.core.random import Rows, randn
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

CASES = {
    "diffsda-shapes": 32,
    "diffsda-sprites32": 16,
    "diffsda-tones": 32,
    "diffsda-arabic": 16,
    "diffsda-waves": 32,
}


class Stopwatch:
    """Adds up the time spent in a module's forward."""

    def __init__(self, module: nn.Module, device: torch.device) -> None:
        self.seconds, self._cuda = 0.0, device.type == "cuda"
        self._marks: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []
        module.register_forward_pre_hook(lambda *_: self._start())
        module.register_forward_hook(lambda *_: self._stop())

    def _start(self) -> None:
        if self._cuda:
            self._marks.append((torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)))
            self._marks[-1][0].record()
        else:
            self._began = time.perf_counter()

    def _stop(self) -> None:
        if self._cuda:
            self._marks[-1][1].record()
        else:
            self.seconds += time.perf_counter() - self._began

    def read(self) -> float:
        """Seconds since the last reading."""
        if self._cuda:
            torch.cuda.synchronize()
            self.seconds = sum(start.elapsed_time(stop) for start, stop in self._marks) / 1000
            self._marks.clear()
        seconds, self.seconds = self.seconds, 0.0
        return seconds


@torch.no_grad()
def share_outside(
    preset: str, sequences: int, *, steps: int, runs: int, device: torch.device
) -> tuple[float, int]:
    """The median share of one preset, and the network evaluations of one run."""
    config = apply_overrides(get_preset(preset), [f"model.sampler.steps={steps}"])
    model = build_model(config)
    if not isinstance(model, DiffSDA):
        raise TypeError(f"{preset}: not a DiffSDA preset")
    model.eval().to(device)
    watch = Stopwatch(model.denoiser.network, device)
    data = config.data
    rows = Rows.shard(0, sequences, slice(0, sequences), device)
    z = randn(
        (sequences, data.length, model.config.static_dim + model.config.dynamic_dim),
        generator=rows,
        device=device,
    )
    noise = 80 * randn((sequences, data.length, *data.frame_shape), generator=rows, device=device)
    denoise = model.denoiser.bind(z.flatten(0, 1), max_frames_per_pass=model.config.max_frames_per_pass)
    shares, nfe = [], 0
    for run in range(runs + 1):
        began = time.perf_counter()
        nfe = model.sampler.sample(denoise, noise.flatten(0, 1)).nfe
        inside = watch.read()  # waits for the GPU
        whole = time.perf_counter() - began
        if run:  # the first one warms up
            shares.append(1 - inside / whole)
    return statistics.median(shares), nfe


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--steps", type=int, default=6, help="noise levels; NFE is 2N − 1")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device, rows = torch.device(options.device), []
    for preset, sequences in CASES.items():
        share, nfe = share_outside(preset, sequences, steps=options.steps, runs=options.runs, device=device)
        case = f"{preset}, {sequences} sequences, {nfe} NFE"
        print(f"{case:48} {100 * share:5.1f}% outside the network")
        rows.append(BenchmarkRow(case=case, unit="outside_network_share", ours=share))
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)


if __name__ == "__main__":
    main()
