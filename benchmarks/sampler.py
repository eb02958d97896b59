"""What sampling costs beside the network: its share of the time, and against diffusers' schedulers.

    python benchmarks/sampler.py --json sampler.json

For each preset a model with fresh weights decodes the same factors, by one sequence and by many.
``outside_network_share`` is ``1 - (time in the network's forward) / (time of the whole sampler)``.
``ms_per_sample`` stands beside that of a loop over the scheduler of diffusers which does the same, with the
same network, levels and number of evaluations; the two take turns, so that a busy machine slows both alike.
Each figure is the median over the turns; a ratio is the median of the turns' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.ddim import DDIMSampler
from seqdis.core.diffusion.samplers.dpmpp import DPMPPSampler
from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.methods.diffsda import DiffSDA
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack, randn
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
        self._hooks = [
            module.register_forward_pre_hook(lambda *_: self._start()),
            module.register_forward_hook(lambda *_: self._stop()),
        ]

    def remove(self) -> None:
        """Watch no more."""
        for hook in self._hooks:
            hook.remove()

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


class Case:
    """A model with fresh weights, noise, and factors to decode from it."""

    def __init__(self, preset: str, sequences: int, device: torch.device) -> None:
        config = get_preset(preset)
        model = build_model(config)
        if not isinstance(model, DiffSDA):
            raise TypeError(f"{preset}: not a DiffSDA preset")
        model.eval().to(device)
        self.name, self.sequences, data = f"{preset}, {sequences} sequences", sequences, config.data
        self.network, self.device = model.denoiser.network, device
        rows = GeneratorStack.shard(0, sequences, slice(0, sequences), device)
        width = model.config.static_dim + model.config.dynamic_dim
        self.z = randn((sequences, data.length, width), generator=rows, device=device).flatten(0, 1)
        self.noise = randn(
            (sequences, data.length, *data.frame_shape), generator=rows, device=device
        ).flatten(0, 1)
        self.denoise = model.denoiser.bind(self.z, max_frames_per_pass=len(self.z))

    def sample(self, sampler: Sampler) -> int:
        """Our loop; the evaluations that it took."""
        return sampler.sample(self.denoise, sampler.sigma_max * self.noise).nfe

    def sample_by(self, scheduler: Any, steps: int) -> int:
        """The loop that diffusers documents; the evaluations that it took."""
        scheduler.set_timesteps(steps, device=self.device)
        x = scheduler.init_noise_sigma * self.noise
        for t in scheduler.timesteps:
            scaled = scheduler.scale_model_input(x, t)
            output = self.network(scaled, t.float().expand(len(x)), self.z)
            x = scheduler.step(output, t, x).prev_sample
        return len(scheduler.timesteps)


def timed(run: Callable[[], int], device: torch.device) -> tuple[float, int]:
    """Seconds of one run, and what it returned."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    value = run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began, value


@torch.no_grad()
def share_outside(case: Case, sampler: Sampler, *, runs: int) -> BenchmarkRow:
    """The median share of sampling time that passes outside the network."""
    watch = Stopwatch(case.network, case.device)
    case.sample(sampler)  # warms up
    watch.read()
    shares, nfe = [], 0
    for _ in range(runs):
        whole, nfe = timed(lambda: case.sample(sampler), case.device)
        shares.append(1 - watch.read() / whole)
    watch.remove()
    return BenchmarkRow(
        case=f"{case.name}, edm, {nfe} NFE", unit="outside_network_share", ours=statistics.median(shares)
    )


@torch.no_grad()
def beside_peer(case: Case, kind: str, sampler: Sampler, scheduler: Any, *, runs: int) -> BenchmarkRow:
    """Time a sample of both loops, in turns."""
    steps = sampler.config.steps
    loops = (lambda: case.sample(sampler), lambda: case.sample_by(scheduler, steps))
    evaluations = {loop() for loop in loops}  # warms up
    if len(evaluations) > 1:
        raise RuntimeError(f"{kind}: the two loops evaluate the network {sorted(evaluations)} times")
    turns = [tuple(timed(loop, case.device)[0] for loop in loops) for _ in range(runs)]
    # The median of ratios, for a disturbance lasts longer than one turn.
    ratio = statistics.median(ours / peer for ours, peer in turns)
    peer = 1000 * statistics.median(turn[1] for turn in turns) / case.sequences
    return BenchmarkRow(
        case=f"{case.name}, {kind}, {evaluations.pop()} NFE",
        unit="ms_per_sample",
        ours=ratio * peer,
        peer=peer,
    )


def peers(steps: int) -> dict[str, tuple[Sampler, Any]]:
    """Our samplers and the schedulers of diffusers that take the same steps.

    Raises:
        ImportError: diffusers is not installed.
    """
    from diffusers import DDIMScheduler, EDMDPMSolverMultistepScheduler, HeunDiscreteScheduler

    return {
        "dpmpp": (
            DPMPPSampler(steps=steps),
            EDMDPMSolverMultistepScheduler(sigma_min=0.002, sigma_max=80, sigma_data=0.5, rho=7),
        ),
        "edm": (EDMSampler(steps=steps), HeunDiscreteScheduler(use_karras_sigmas=True)),
        "ddim": (DDIMSampler(steps=steps), DDIMScheduler()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--steps", type=int, default=6, help="noise levels")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device, rows = torch.device(options.device), []
    try:
        beside = peers(options.steps)
    except ImportError:
        print("diffusers is not installed: there is no peer to compare with")
        beside = {}
    heun = EDMSampler(steps=options.steps)
    for preset, many in CASES.items():
        for sequences in (1, many):
            case = Case(preset, sequences, device)
            row = share_outside(case, heun, runs=options.runs)
            rows.append(row)
            print(f"{row.case:52} {100 * row.ours:5.1f}% outside the network", flush=True)
            for kind, (sampler, scheduler) in beside.items():
                row = beside_peer(case, kind, sampler, scheduler, runs=options.runs)
                rows.append(row)
                print(
                    f"{row.case:52} {row.ours:8.2f} ms a sample, x {row.ratio:.3f} of diffusers'", flush=True
                )
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)


if __name__ == "__main__":
    main()
