"""AdaGN with SiLU at the U-Net's shapes, AdaLN at the DiT's: values and gradients, time, and bandwidth.

    python benchmarks/ada_group_norm.py --check --time --end-to-end --json ada_group_norm.json

``--check`` compares our operator with float64; ``--time`` measures the reference in eager mode, compiled by
``torch.compile``, torch's own norm with pointwise operations, and ours, in turns, forward and with the
backward pass; ``--end-to-end`` a training step and a sample of whole models without the kernel and with it.
Without any of these, the first two are done. ``of_copy`` is the least traffic (forward: one read and one
write; backward: two more reads and a write) over the time and over the bandwidth of a measured copy of the
same tensor. A record holds the median milliseconds of ours beside each peer's. The kernel is the one that is
built; where there is none, one is compiled for this run alone.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from timing.turns import seconds_in_turns
from torch import Tensor

from seqdis.core.config import apply_overrides
from seqdis.core.errors import InputError
from seqdis.core.nn.norm import group_count
from seqdis.core.ops import ada_group_norm
from seqdis.core.ops._build import kernel_state, kernels_off
from seqdis.core.ops._compile import build_kernel
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.sequences import Sequences
from seqdis.core.training.devices import fast_layout, resolve_precision

# Height and width of what the denoiser sees; a preset with an autoencoder sees its latents.
PRESETS = {"diffsda-mug": 64, "diffsda-voxceleb": 64, "diffsda-sprites32": 32}
# Tokens of a frame and width: DiT-XS/4 of 32 pixels, DiT-S/8 and DiT-B/4 of 64, each with 16 content tokens.
DITS = {"DiT-XS": (80, 192), "DiT-S": (80, 384), "DiT-B": (272, 768)}
END_TO_END = {"cpu": ("diffsda-sprites32",), "cuda": ("diffsda-sprites32", "diffsda-voxceleb")}
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
PARTS = ("scale", "shift", "gain")
COLUMNS = ("eager", "compiled", "torch", "ours", "copy")
Call = Callable[..., Tensor]


def shapes(preset: str, frames: int) -> list[tuple[int, int, int, int]]:
    """``(N, C, H, W)`` of the norms at each level of the preset's denoiser."""
    network, size = get_preset(preset).model.denoiser, PRESETS[preset]  # type: ignore[attr-defined]
    widths = [network.channels * multiplier for multiplier in network.multipliers]
    return [(frames, width, size >> level, size >> level) for level, width in enumerate(widths)]


def cases_of(frames: int, *, every: bool) -> dict[tuple[int, int, int, int], str]:
    """The preset of each shape; of each preset the finest and the coarsest level, or ``every`` one."""
    # On the CPU compiling the peers takes most of the time.
    levels_of = {preset: shapes(preset, frames) for preset in PRESETS}
    return {
        shape: preset
        for preset, levels in levels_of.items()
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


def tokens_by_torch(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    y = F.layer_norm(x.unflatten(0, (len(scale), -1)), x.shape[1:], eps=1e-6)
    return (y * scale[:, None] + shift[:, None]).flatten(0, 1)


def tokens_by_us(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    impl = "cuda" if x.is_cuda else "cpu"
    return ada_group_norm(x, 1, scale=scale, shift=shift, eps=1e-6, impl=impl)


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


def milliseconds(runs: dict[str, Callable[[], object]], turns: int) -> dict[str, float]:
    """The median of the turns of each."""
    return {n: 1000 * statistics.median(times) for n, times in seconds_in_turns(runs, turns=turns).items()}


def unet_calls(*, compile_too: bool) -> dict[str, Call]:
    compiled = {"compiled": torch.compile(reference, dynamic=False)} if compile_too else {}
    return {"eager": reference, **compiled, "torch": pointwise, "ours": fused}


def dit_calls(*, compile_too: bool) -> dict[str, Call]:
    compiled = {"compiled": torch.compile(tokens_by_torch, dynamic=False)} if compile_too else {}
    return {"eager": tokens_by_torch, **compiled, "ours": tokens_by_us}


def measure(
    case: str,
    calls: Callable[[], dict[str, Call]],
    x: Tensor,
    parts: dict[str, Tensor],
    grad: Tensor,
    turns: int,
) -> list[BenchmarkRow]:
    """Forward, and forward with backward, beside each peer; prints a line for each."""
    torch.compiler.reset()  # each shape is compiled for itself, as in a network of fixed size
    target = torch.empty_like(x)
    given = [x, *parts.values()]

    def forward(call: Call) -> Callable[[], object]:
        return torch.no_grad()(lambda: call(x, **parts))

    def both(call: Call) -> Callable[[], object]:
        return lambda: torch.autograd.grad(call(x, **parts), given, grad)

    rows = []
    for mode, wrap, traffic in (("forward", forward, 2), ("forward+backward", both, 5)):
        # Functions of their own: the two modes must not share one cache of compiled code.
        peers = calls()
        runs = {name: wrap(call) for name, call in peers.items()}
        runs["copy"] = torch.no_grad()(lambda: target.copy_(x))
        took = milliseconds(runs, turns)
        share = traffic / 2 * took["copy"] / took["ours"]
        columns = "".join(f"{took[name]:10.3f}" if name in took else " " * 10 for name in COLUMNS)
        print(f"{case:54} {mode:17}{columns}{100 * share:9.0f}%", flush=True)
        rows += [
            BenchmarkRow(case=f"{case}, {mode}, {name}", unit="ms", ours=took["ours"], peer=took[name])
            for name in peers
            if name != "ours"
        ]
        rows.append(BenchmarkRow(case=f"{case}, {mode}", unit="of_copy", ours=share))
    return rows


def end_to_end(preset: str, device: torch.device, turns: int) -> list[BenchmarkRow]:
    """A training step and a sample without the kernel and with it, as the trainer would run them on this device.

    No autoencoder runs. In bfloat16 plain torch first copies each map to float32, and the result back.
    """
    config = get_preset(preset)
    size, batch = PRESETS[preset], config.train.batch_size
    changes = ["sampler.steps=4"]
    if size != config.data.frame_shape[1]:
        changes += ["codec.name=identity", f"data.frame_shape=[4,{size},{size}]"]
    config = apply_overrides(config, changes)
    torch.manual_seed(0)
    model = fast_layout(build_model(config).to(device))
    half = resolve_precision(config.train.precision, device.type) == "bf16"
    clips = torch.rand(batch, config.data.length, *config.data.frame_shape)
    data = Sequences(clips, keys=[str(i) for i in range(batch)]).to(device)

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = model.loss(data, generator=GeneratorStack.shard(0, batch, slice(0, batch), device)).loss
        loss.backward()
        model.zero_grad()

    @torch.no_grad()
    def sample() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            model.decode(model.encode(data.x[:4]), generator=torch.Generator(device).manual_seed(0))

    rows = []
    for name, run in (("training step", step), ("sample", sample)):
        without = kernels_off()(run)
        took = milliseconds({"ours": run, "eager": without}, turns)
        case = f"{preset}, {'bfloat16' if half else 'float32'}, {name}"
        row = BenchmarkRow(case=case, unit="ms", ours=took["ours"], peer=took["eager"])
        print(
            f"{row.case:54} without {row.peer:10.1f}   with {row.ours:10.1f}   {row.peer / row.ours:.2f}",
            flush=True,
        )
        rows.append(row)
    return rows


@contextlib.contextmanager
def kernel_of(device: str) -> Iterator[None]:
    """The kernel that is built, or one that is compiled for this run alone."""
    if kernel_state(device) is None:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEQDIS_KERNELS"] = folder
        print(f"compiling the {device} kernel for this run", flush=True)
        build_kernel(device)
        yield


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="values and gradients against float64")
    parser.add_argument("--time", action="store_true", help="ours beside the peers")
    parser.add_argument(
        "--end-to-end", action="store_true", help="whole models without the kernel and with it"
    )
    parser.add_argument("--eager", action="store_true", help="leave the compiled ones out")
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--frames", type=int, help="N; 128 on a GPU, 8 on the CPU")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="on the CPU, too, every type, layout and level")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    torch.manual_seed(0)
    torch._dynamo.config.recompile_limit = 64
    try:
        with kernel_of(device.type):
            rows, failed = run(options, device)
    except InputError as error:
        print(f"nothing is measured: {error}")
        return
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)
    if failed:
        sys.exit("ada_group_norm: the operator is wrong somewhere above")


def run(options: argparse.Namespace, device: torch.device) -> tuple[list[BenchmarkRow], bool]:
    """All that is asked for, and whether a value was wrong."""
    nothing = not (options.check or options.time or options.end_to_end)
    check, clock = options.check or nothing, options.time or nothing
    unet, dit = (functools.partial(f, compile_too=not options.eager) for f in (unet_calls, dit_calls))
    many = device.type == "cuda" or options.all
    types = ["bfloat16", "float32"] if many else ["float32"]
    layouts = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}
    rows, failed = [], False
    if clock:
        print(f"{'milliseconds':54} {'':17}{''.join(f'{name:>10}' for name in COLUMNS)}   of copy")
    frames = options.frames or (128 if device.type == "cuda" else 8)
    for shape, presets in cases_of(frames, every=many).items() if check or clock else ():
        for name in types:
            for layout in layouts if many else ["contiguous"]:
                case = f"{presets}, {'x'.join(map(str, shape))}, {name}, {layout}"
                given = inputs(shape, TYPES[name], layouts[layout], device)
                if check:
                    error = worst_error(*given)
                    bad = error > (1e-4 if name == "float32" else 2e-2)
                    failed |= bad
                    print(f"{case:54} error {error:.1e}{' TOO LARGE' if bad else ''}", flush=True)
                    rows.append(BenchmarkRow(case=case, unit="error", ours=error))
                if clock:
                    rows += measure(case, unet, *given, turns=options.turns)
    for network, (tokens, width) in DITS.items() if clock else ():
        for name in types:
            x = torch.randn(frames * tokens, width, device=device).to(TYPES[name]).requires_grad_()
            parts = {
                n: torch.randn(frames, width, device=device).to(x.dtype).requires_grad_() for n in PARTS[:2]
            }
            case = f"{network}, {frames}x{tokens}x{width}, {name}"
            rows += measure(case, dit, x, parts, torch.randn_like(x), turns=options.turns)
    for preset in END_TO_END[device.type] if options.end_to_end else ():
        rows += end_to_end(preset, device, options.turns)
    return rows, failed


if __name__ == "__main__":
    main()
