"""How fast whole training steps are: reading, noise, loss, gradients, clipping, AdamW, EMA.

    python benchmarks/training_step.py --json training_step.json
    python benchmarks/training_step.py --presets diffsda-waves --seconds 1   # a quick look

For each preset four trainers stand side by side (eager and compiled, float32 and bfloat16) and
take turns on random data of the preset's shape, so that a busy machine slows all of them alike.
The figure is the median over the turns; ``ratio`` is against eager float32.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch

from seqdis.core.config import RunConfig, apply_overrides
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.loader import training_batches
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.training import Trainer
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.run_folder import RunFolder

# One a modality: what each kind of machine is meant to train.
PRESETS = {
    "cpu": ("diffsda-shapes", "diffsda-tones", "diffsda-waves"),
    "cuda": ("diffsda-sprites", "diffsda-arabic", "diffsda-etth1"),
}
TURNS, ENDLESS = 3, 10**9


class Contestant:
    """One trainer in one way of running it."""

    def __init__(
        self, config: RunConfig, *, compiled: bool, precision: str, device: str, scratch: Path
    ) -> None:
        self.name = f"{'compiled' if compiled else 'eager'}, {precision}"
        # Compiling takes a minute: what one waits for goes to the terminal, not into the table.
        print(f"preparing {config.preset}, {self.name}", file=sys.stderr, flush=True)
        changes = [
            f"train.compile={str(compiled).lower()}",
            f"train.precision={precision}",
            f"train.steps={ENDLESS}",
        ]
        config = apply_overrides(config, changes)
        shape = (4 * config.train.batch_size, config.data.length, *config.data.frame_shape)
        data = ArraySequences(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
        self.accelerator = make_accelerator(config.train, device)
        self.trainer = Trainer(
            config, RunFolder(scratch), train_set=data, val_set=None, accelerator=self.accelerator
        )
        self.batches = training_batches(
            data, self.trainer.plan, start=0, stop=ENDLESS, pin_memory=self.accelerator.device.type == "cuda"
        )
        self.done, self.rates = 0, []
        self.run(seconds=0, least=2)  # warms up, and compiles

    def run(self, *, seconds: float, least: int = 1) -> float:
        """Steps per second over at least ``seconds`` and ``least`` steps."""
        self._wait()
        began, first = time.perf_counter(), self.done
        while self.done - first < least or time.perf_counter() - began < seconds:
            self.done += 1
            self.trainer.step(self.done, self.batches)
            if self.done % 8 == 0:  # else the clock would time how fast work is queued
                self._wait()
        self._wait()
        return (self.done - first) / (time.perf_counter() - began)

    def _wait(self) -> None:
        if self.accelerator.device.type == "cuda":
            torch.cuda.synchronize()


def measure(
    preset: str, *, compile_too: bool, seconds: float, device: str, scratch: Path
) -> Iterator[BenchmarkRow]:
    """Both units of every way to run one preset, eager float32 first."""
    config = get_preset(preset)
    torch._dynamo.reset()
    ways = product([False, True] if compile_too else [False], ["fp32", "bf16"])
    contestants = [
        Contestant(config, compiled=compiled, precision=precision, device=device, scratch=scratch)
        for compiled, precision in ways
    ]
    for _ in range(TURNS):
        for contestant in contestants:
            contestant.rates.append(contestant.run(seconds=seconds / TURNS))
    rates = {contestant.name: statistics.median(contestant.rates) for contestant in contestants}
    frames = config.train.batch_size * config.data.length
    for name, rate in rates.items():
        peer = rates["eager, fp32"]
        case = f"{preset}, {name}, batch {config.train.batch_size} × {config.data.length} frames"
        yield BenchmarkRow(case=case, unit="steps_per_s", ours=rate, peer=peer)
        yield BenchmarkRow(case=case, unit="frames_per_s", ours=rate * frames, peer=peer * frames)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--presets", nargs="+", help="one a modality by default")
    parser.add_argument("--seconds", type=float, default=6.0, help="for each way to run each preset")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--eager", action="store_true", help="leave the compiled ones out")
    options = parser.parse_args()
    # On a CPU torch.compile needs a C++ compiler.
    can_compile = options.device != "cpu" or any(map(shutil.which, ("g++", "clang++", "cl")))
    if not can_compile and not options.eager:
        print("no C++ compiler found: eager only")
    rows: list[BenchmarkRow] = []
    with tempfile.TemporaryDirectory() as scratch:
        for preset in options.presets or PRESETS["cpu" if options.device == "cpu" else "cuda"]:
            for row in measure(
                preset,
                compile_too=can_compile and not options.eager,
                seconds=options.seconds,
                device=options.device,
                scratch=Path(scratch),
            ):
                rows.append(row)
                if row.unit == "steps_per_s":
                    print(f"{row.case:64} {row.ours:9.2f} steps/s", end="", flush=True)
                else:
                    print(f" {row.ours:11.0f} frames/s   × {row.ratio:.2f}", flush=True)
    if options.json:
        benchmark_record(rows, device=device_name(options.device)).save(options.json)


if __name__ == "__main__":
    main()
