"""A training step on a CPU whose process keeps the memory that it frees, beside one that gives it back.

    python benchmarks/host_memory.py --json host_memory.json

The C library's settings hold for a process and cannot be taken back: processes of both kinds take turns, each with the
steps of one preset on random clips. ``ours`` keeps its memory, ``peer`` gives it back.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from weight_update import trainer_of

from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.training.host_memory import keep_freed_memory

PRESETS = ("diffsda-sprites32", "s3vae-sprites32")
KINDS = ("kept", "given back")


def median_step(preset: str, *, kept: bool, steps: int) -> float:
    """Milliseconds of a step in this process; the first third warms up."""
    if kept and not keep_freed_memory():
        raise SystemExit("this C library has no such settings")
    with tempfile.TemporaryDirectory() as scratch:
        _, step = trainer_of(preset, "cpu", Path(scratch))
        taken = []
        for _ in range(steps):
            began = time.perf_counter()
            step()
            taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken[steps // 3 :])


def in_process(preset: str, kind: str, steps: int) -> float:
    """Milliseconds of a step in a process of its own."""
    command = [sys.executable, __file__, "--child", kind, "--presets", preset, "--steps", str(steps)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--child", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        kept = options.child == "kept"
        print(median_step(options.presets[0], kept=kept, steps=options.steps))
        return
    rows: list[BenchmarkRow] = []
    for preset in options.presets:
        taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for turn in range(options.turns):
            for kind in KINDS if turn % 2 else reversed(KINDS):
                taken[kind].append(in_process(preset, kind, options.steps))
        ours, peer = (statistics.median(taken[kind]) for kind in KINDS)
        row = BenchmarkRow(
            case=f"{preset}: a step, memory kept, beside given back", unit="ms", ours=ours, peer=peer
        )
        rows.append(row)
        print(f"{row.case:70} {row.ours:8.1f} of {row.peer:8.1f} ms   × {row.ratio:.3f}", flush=True)
    if options.json:
        benchmark_record(rows, device=device_name("cpu")).save(options.json)


if __name__ == "__main__":
    main()
