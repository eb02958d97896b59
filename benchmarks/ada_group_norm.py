"""AdaGN with SiLU at the U-Net's shapes: values and gradients, time, and bandwidth over that of a copy.

    python benchmarks/ada_group_norm.py --check --time --json ada_group_norm.json

``--check`` compares our operator with float64; ``--time`` measures the reference in eager mode, compiled by
``torch.compile``, ``F.group_norm`` with pointwise operations, and ours, in turns, forward and with the
backward pass. Without either, both are done. ``of_copy`` is the least traffic (forward: one read and one
write; backward: two more reads and a write) over the time and over the bandwidth of a measured copy of the
same tensor. A record holds the median milliseconds of ours beside each peer's. Kernels are built first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.nn.norm import group_count
from seqdis.core.ops import ada_group_norm
from seqdis.core.ops._compile import build_kernel
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

# Height and width of what the denoiser sees; a preset with an autoencoder sees its latents.
PRESETS = {"diffsda-mug": 64, "diffsda-voxceleb": 64, "diffsda-sprites32": 32}
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
PARTS = ("scale", "shift", "gain")
Call = Callable[..., Tensor]


def shapes(preset: str, frames: int) -> list[tuple[int, int, int, int]]:
    """``(N, C, H, W)`` of the norms at each level of the preset's denoiser."""
    network, size = get_preset(preset).model.denoiser, PRESETS[preset]  # type: ignore[attr-defined]
    widths = [network.channels * multiplier for multiplier in network.multipliers]
    return [(frames, width, size >> level, size >> level) for level, width in enumerate(widths)]


def cases_of(frames: int, *, every: bool) -> dict[tuple[int, int, int, int], str]:
    """The preset of each shape; of each preset the finest and the coarsest level, or ``every`` one."""
    # On the CPU compiling the peers takes most of the time.
    found = {preset: shapes(preset, frames) for preset in PRESETS}
    return {
        shape: preset
        for preset, levels in found.items()
        for shape in (levels if every else [levels[0], levels[-1]])
    }


def reference(x: Tensor, **parts: Tensor) -> Tensor:
    return ada_group_norm(x, group_count(x.shape[1]), **parts, activation="silu", impl="reference")


def fused(x: Tensor, **parts: Tensor) -> Tensor:
    impl = "cuda" if x.is_cuda else "cpu"
    return ada_group_norm(x, group_count(x.shape[1]), **parts, activation="silu", impl=impl)


def pointwise(x: Tensor, scale: Tensor, shift: Tensor, gain: Tensor) -> Tensor:
    y = F.group_norm(x, group_count(x.shape[1]))
    return F.silu(gain[..., None, None] * (scale[..., None, None] * y + shift[..., None, None]))


def inputs(
    shape: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format, device: torch.device
) -> tuple[Tensor, dict[str, Tensor], Tensor]:
    x = torch.randn(shape, device=device).to(dtype).to(memory_format=layout).requires_grad_()
    parts = {n: torch.randn(shape[:2], device=device).to(dtype).requires_grad_() for n in PARTS}
    return x, parts, torch.randn(shape, device=device).to(dtype).to(memory_format=layout)


def worst_error(x: Tensor, parts: dict[str, Tensor], grad: Tensor) -> float:
    """Of values and gradients, the largest deviation from float64 over the largest entry."""

    def run(call: Call, dtype: torch.dtype) -> list[Tensor]:
        given = [t.detach().to(dtype).requires_grad_() for t in (x, *parts.values())]
        y = call(given[0], **dict(zip(PARTS, given[1:], strict=True)))
        return [y.detach(), *torch.autograd.grad(y, given, grad.to(dtype))]

    pairs = zip(run(fused, x.dtype), run(reference, torch.float64), strict=True)
    return max(float((ours - exact).abs().max() / exact.abs().max()) for ours, exact in pairs)


def milliseconds(run: Callable[[], object], device: torch.device) -> float:
    if device.type != "cuda":
        began = time.perf_counter()
        run()
        return 1000 * (time.perf_counter() - began)
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    repeats = 20  # in a row, for the queue hides the time of launching as a network's does
    start.record()
    for _ in range(repeats):
        run()
    stop.record()
    torch.cuda.synchronize()
    return start.elapsed_time(stop) / repeats


def in_turns(runs: dict[str, Callable[[], object]], turns: int, device: torch.device) -> dict[str, float]:
    """The median of each, after two rounds of warming up (the first of which compiles)."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 2):
        for name, run in runs.items():
            spent = milliseconds(run, device)
            if turn > 1:
                taken[name].append(spent)
    return {name: statistics.median(times) for name, times in taken.items()}


def measure(case: str, x: Tensor, parts: dict[str, Tensor], grad: Tensor, turns: int) -> list[BenchmarkRow]:
    """Forward, and forward with backward, beside each peer; prints a line for each."""
    torch.compiler.reset()  # each shape is compiled for itself, as in a network of fixed size
    target = torch.empty_like(x)
    # Functions of their own: the two modes must not share one cache of compiled code.
    calls: dict[str, Call] = {
        "eager": reference, "compiled": torch.compile(reference, dynamic=False), "F.group_norm": pointwise,
        "ours": fused,
    }  # fmt: skip
    given = [x, *parts.values()]

    def forward(call: Call) -> Callable[[], object]:
        return torch.no_grad()(lambda: call(x, **parts))

    def both(call: Call) -> Callable[[], object]:
        return lambda: torch.autograd.grad(call(x, **parts), given, grad)

    rows = []
    for mode, wrap, traffic in (("forward", forward, 2), ("forward+backward", both, 5)):
        runs = {name: wrap(call) for name, call in calls.items()}
        runs["copy"] = torch.no_grad()(lambda: target.copy_(x))
        took = in_turns(runs, turns, x.device)
        share = traffic / 2 * took["copy"] / took["ours"]
        columns = "".join(f"{took[name]:10.3f}" for name in (*calls, "copy"))
        print(f"{case:54} {mode:17}{columns}{100 * share:9.0f}%", flush=True)
        rows += [
            BenchmarkRow(case=f"{case}, {mode}, {name}", unit="ms", ours=took["ours"], peer=took[name])
            for name in calls
            if name != "ours"
        ]
        rows.append(BenchmarkRow(case=f"{case}, {mode}", unit="of_copy", ours=share))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="values and gradients against float64")
    parser.add_argument("--time", action="store_true", help="ours beside the peers")
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--frames", type=int, help="N; 128 on a GPU, 8 on the CPU")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="on the CPU, too, every type, layout and level")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    everything = not options.check and not options.time
    torch.manual_seed(0)
    torch._dynamo.config.recompile_limit = 64
    try:
        print(f"kernel: {build_kernel(device.type)}", flush=True)
    except InputError as error:
        print(f"nothing is measured: {error}")
        return
    many = device.type == "cuda" or options.all
    types = ["bfloat16", "float32"] if many else ["float32"]
    layouts = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
    rows, failed = [], False
    if options.time or everything:
        heads = "".join(f"{name:>10}" for name in ("eager", "compiled", "F.g_norm", "ours", "copy"))
        print(f"{'milliseconds':54} {'':17}{heads}   of copy")
    frames = options.frames or (128 if device.type == "cuda" else 8)
    for shape, presets in cases_of(frames, every=many).items():
        for name in types:
            for layout in layouts if many else ["contiguous"]:
                case = f"{presets}, {'x'.join(map(str, shape))}, {name}, {layout}"
                given = inputs(shape, TYPES[name], layouts[layout], device)
                if options.check or everything:
                    error = worst_error(*given)
                    bad = error > (1e-4 if name == "float32" else 2e-2)
                    failed |= bad
                    print(f"{case:54} error {error:.1e}{' TOO LARGE' if bad else ''}", flush=True)
                    rows.append(BenchmarkRow(case=case, unit="error", ours=error))
                if options.time or everything:
                    rows += measure(case, *given, turns=options.turns)
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)
    if failed:
        sys.exit("ada_group_norm: the operator is wrong somewhere above")


if __name__ == "__main__":
    main()
