"""The built kernels against the definition in float64: on the CPU, on a GPU if any, and CUDA's on an emulated one.

A compiler must be found. The emulated GPU runs the CUDA sources on the host (``emulator/``): it finds wrong
results and barriers that threads miss, no races.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from seqdis.core.nn.norm import AdaGroupNorm
from seqdis.core.ops import _build, ada_group_norm
from seqdis.core.ops._compile import build_kernel, cpu_compiler, cuda_compiler
from seqdis.core.ops._operator import backward_formula, forward_formula, memory_format_of

OPERATOR = torch.ops.seqdis.ada_group_norm.default
BACKWARD = torch.ops.seqdis.ada_group_norm_backward.default
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
TOLERANCES = {torch.float32: 1e-5, torch.bfloat16: 8e-3, torch.float16: 1e-3}
# Shape and groups: vectors that fit and do not, rows shorter than a vector, groups of one entry, one group
# over everything, more channels than a block has threads, and samples of which one fills no machine.
CASES = [
    ((2, 8, 4, 4), 2),
    ((3, 12, 5), 4),
    ((2, 12), 12),
    ((1, 6, 7, 3), 3),
    ((2, 20, 3, 5, 2), 5),
    ((2, 16, 33, 31), 4),
    ((5, 32, 16, 16), 8),
    ((2, 4, 1), 4),
    ((1, 8, 200, 204), 1),
    ((2, 40, 17, 19), 8),
    ((2, 8, 1, 257), 4),
    ((1, 2400, 2, 2), 3),
    ((3, 96), 6),
    ((5, 130), 26),
    ((9, 33), 1),
    ((0, 8, 3), 2),
    ((2, 8, 0), 2),
]


@dataclass(frozen=True)
class Kernel:
    """The two operators, and the device on whose tensors they work."""

    name: str
    device: str
    forward: Any
    backward: Any

    @property
    def dtypes(self) -> tuple[torch.dtype, ...]:
        return _build.KERNEL_DTYPES["cpu" if self.name == "cpu" else "cuda"]


def emulator(folder: Path) -> Path:
    """The CUDA kernels compiled for a GPU that is emulated on the host, kept by what they are made of."""
    here, torch_folder = Path(__file__).with_name("emulator"), Path(torch.__file__).parent
    csrc = _build.SOURCES["cuda"][0].parent
    files = sorted([*here.rglob("*.*"), *csrc.glob("*.cuh"), csrc / "common.h"])
    key = hashlib.sha256(b"".join([torch.__version__.encode(), *(file.read_bytes() for file in files)]))
    target = folder / f"emulated-{key.hexdigest()[:16]}.so"
    if not target.is_file():
        includes = [here, csrc, torch_folder / "include"]
        command = [str(cpu_compiler()), "-std=c++20", "-O1", "-w", "-fPIC", "-shared"]
        command += [*(f"-I{path}" for path in includes), str(here / "emulated.cpp")]
        made = target.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [*command, "-o", str(made), f"-L{torch_folder / 'lib'}", "-lc10", "-ltorch_cpu"], check=True
        )
        made.replace(target)
    return target


@pytest.fixture(scope="module", params=["cpu", "cuda", "emulated"])
def kernel(request: pytest.FixtureRequest) -> Iterator[Kernel]:
    """Built and loaded; skipped with the reason where that cannot be."""
    name: str = request.param
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU is here")
    if (cuda_compiler if name == "cuda" else cpu_compiler)() is None:
        pytest.skip(f"no compiler for the {name} kernel is here")
    folder = request.config.cache.mkdir("kernels")  # compiled again only where something has changed
    if name == "emulated":
        torch.ops.load_library(emulator(folder))
        operators = torch.ops.seqdis_emulated
        yield Kernel(name, "cpu", operators.ada_group_norm.default, operators.ada_group_norm_backward.default)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQDIS_KERNELS", str(folder / "own"))  # made by the build, as others cannot write to it
        patch.setattr(_build, "_known", {})
        build_kernel(name)
        assert _build.kernel_state(name) is None
        yield Kernel(name, name, OPERATOR, BACKWARD)


@pytest.fixture
def device(kernel: Kernel) -> str:
    """The device of a kernel that the dispatcher knows."""
    if kernel.name == "emulated":
        pytest.skip("not an operator of a device")
    return kernel.device


def parts_of(x: Tensor, which: str = "11111", share: int = 1) -> list[Tensor | None]:
    """weight, bias, scale, shift, gain where ``which`` says 1; two of them strided, one in half precision."""
    n, c = len(x) // share, x.shape[1]
    both = torch.randn(n, 2 * c, device=x.device)
    made = [
        torch.randn(c, device=x.device),
        torch.randn(c, device=x.device),
        both[:, :c],
        both[:, c:].bfloat16(),
    ]
    made.append(torch.randn(n, c, device=x.device))
    return [part if on == "1" else None for part, on in zip(made, which, strict=True)]


def compare(
    kernel: Kernel, x: Tensor, groups: int, parts: list[Tensor | None], *, silu: bool, tolerance: float
) -> None:
    """Values and all gradients, each relative to the largest entry of what they should be."""
    wide = [part if part is None else part.double() for part in parts]
    y, mean, rstd = kernel.forward(x, groups, *parts, 1e-5, silu)
    exact, *statistics = forward_formula(x.double(), groups, *wide, 1e-5, silu)
    grad = torch.randn(x.shape, device=x.device).to(x.dtype)
    found = kernel.backward(grad, x, mean, rstd, groups, *parts, silu)
    expected = backward_formula(grad.double(), x.double(), *statistics, groups, *wide, silu)
    assert y.is_contiguous(memory_format=memory_format_of(x))
    for part, value in zip(parts, found[1:], strict=True):
        assert value.dtype == (x.dtype if part is None else part.dtype)
    for value, reference in zip((y, *found), (exact, *expected), strict=True):
        assert value.shape == reference.shape
        if value.numel():
            # A gradient in bfloat16 has its digits and no more, whatever the type of x; the sum of a group
            # of one entry is zero, which its factor rstd = 316 takes to the rounding of 1.
            close = max(tolerance, 8e-3 if value.dtype == torch.bfloat16 else 0)
            scale = max(float(reference.abs().max()), *statistics[1].flatten().tolist(), 1.0)
            assert float((value.double() - reference).abs().max()) <= close * scale


@pytest.mark.parametrize(("shape", "groups"), CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("last", [False, True])
def test_values_and_gradients(
    kernel: Kernel, shape: tuple[int, ...], groups: int, dtype: torch.dtype, last: bool
) -> None:
    if dtype not in kernel.dtypes:
        pytest.skip(f"the {kernel.name} kernel does not take {dtype}")
    x = torch.randn(shape, device=kernel.device).to(dtype)
    if last:
        x = x.to(memory_format=LAYOUTS.get(len(shape), torch.contiguous_format))
    for silu in (False, True):
        compare(kernel, x, groups, parts_of(x), silu=silu, tolerance=TOLERANCES[dtype])


@pytest.mark.parametrize(
    ("shape", "groups", "share"),
    [
        ((40, 64), 1, 20), ((6, 4100), 2, 3), ((70, 1160), 1, 70), ((130, 24), 6, 65), ((600, 10), 1, 300),
        ((6, 8, 5), 2, 3), ((4, 8, 6, 6), 4, 2), ((4, 64, 24, 24), 1, 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_samples_that_share_a_row_of_modulation(
    kernel: Kernel, shape: tuple[int, ...], groups: int, share: int, dtype: torch.dtype
) -> None:
    x = torch.randn(shape, device=kernel.device).to(dtype)
    for layout in {torch.contiguous_format, LAYOUTS.get(len(shape), torch.contiguous_format)}:
        for which in ("11111", "00110", "11000"):
            given = x.to(memory_format=layout)
            parts = parts_of(x, which, share)
            compare(kernel, given, groups, parts, silu=which == "11111", tolerance=TOLERANCES[dtype])


@pytest.mark.parametrize("which", ["00000", "00111", "10000", "01010", "11001"])
def test_parts_that_are_missing(kernel: Kernel, which: str) -> None:
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(3, 16, 6, 6, device=kernel.device).to(memory_format=layout)
        compare(kernel, x, 4, parts_of(x, which), silu=True, tolerance=1e-5)
    matrix = torch.randn(3, 16, device=kernel.device)
    compare(kernel, matrix, 4, parts_of(matrix, which), silu=True, tolerance=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(2, 8, 16, 16), (1, 4, 192, 192), (2, 512, 1, 1)])
def test_a_large_mean_and_a_constant(
    kernel: Kernel, layout: torch.memory_format, shape: tuple[int, ...]
) -> None:
    x = (torch.randn(shape, device=kernel.device) + 1e4).to(memory_format=layout)
    compare(kernel, x, 2, parts_of(x), silu=True, tolerance=3e-3)
    constant = torch.full(shape, 1e4, device=kernel.device).to(memory_format=layout)
    y, mean, rstd = kernel.forward(constant, 2, None, None, None, None, None, 1e-5, False)
    assert float(y.abs().max()) == 0
    assert float((mean - 1e4).abs().max()) == 0
    torch.testing.assert_close(rstd, torch.full_like(rstd, 1e-5**-0.5))


def test_an_outlier_in_front_costs_nothing(kernel: Kernel) -> None:
    x = torch.randn(2, 8, 32, 32, device=kernel.device)
    x[:, ::4, 0, 0] = 1e4
    for layout in (torch.contiguous_format, torch.channels_last):
        compare(kernel, x.to(memory_format=layout), 2, parts_of(x), silu=False, tolerance=1e-5)


def test_a_view_that_starts_off_a_boundary(kernel: Kernel) -> None:
    flat = torch.randn(2 * 8 * 16 + 1, device=kernel.device)[1:].view(2, 8, 4, 4)
    compare(kernel, flat, 2, parts_of(flat), silu=True, tolerance=1e-5)
    compare(kernel, flat.flatten(1), 2, parts_of(flat.flatten(1)), silu=True, tolerance=1e-5)
    strided = torch.randn(2, 8, 4, 8, device=kernel.device)[..., ::2]
    y = kernel.forward(strided, 2, None, None, None, None, None, 1e-5, True)[0]
    again = kernel.forward(strided.contiguous(), 2, None, None, None, None, None, 1e-5, True)[0]
    assert torch.equal(y, again)


def test_a_group_too_large_for_the_chip_gives_what_a_staged_one_gives(kernel: Kernel) -> None:
    if kernel.name != "emulated":
        pytest.skip("how much shared memory is there is known of the emulated GPU")
    most = torch.ops.seqdis_emulated.most_shared
    most()
    for entries, stays in ((16384, True), (32768, False)):  # float32: 64 and 128 of 81 KiB
        x = torch.randn(8, 2, entries // 2, device=kernel.device)  # enough groups to fill the GPU
        y = kernel.forward(x, 1, None, None, None, None, None, 1e-5, True)[0]
        assert (most() >= 4 * entries) == stays
        expected = forward_formula(x.double(), 1, None, None, None, None, None, 1e-5, True)[0]
        torch.testing.assert_close(y.double(), expected, atol=1e-5, rtol=1e-5)


def test_what_does_not_fit_is_refused(kernel: Kernel) -> None:
    x = torch.randn(4, 8, 3, device=kernel.device)
    row = torch.randn(3, 8, device=kernel.device)
    with pytest.raises(ValueError, match="4 samples do not share 3 rows"):
        kernel.forward(x, 2, None, None, row, None, None, 1e-5, True)
    with pytest.raises(ValueError, match=r"scale is \[2, 8\]"):
        kernel.forward(x, 2, None, None, row[:2], None, row.new_ones(4, 8), 1e-5, True)
    with pytest.raises(ValueError, match="8 channels do not split into 3 groups"):
        kernel.forward(x, 3, None, None, None, None, None, 1e-5, True)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_opcheck(device: str, layout: torch.memory_format) -> None:
    x = torch.randn(2, 8, 4, 4, device=device).to(memory_format=layout).requires_grad_()
    parts = [part if part is None else part.detach().requires_grad_() for part in parts_of(x, "11101")]
    opcheck(OPERATOR, (x, 2, *parts, 1e-5, True))


def test_opcheck_of_tokens(device: str) -> None:
    x = torch.randn(6, 8, device=device, requires_grad=True)
    parts = [part if part is None else part.detach().requires_grad_() for part in parts_of(x, "00110", 3)]
    opcheck(OPERATOR, (x, 1, *parts, 1e-6, False))


def test_a_second_derivative_is_refused_and_statistics_have_none(device: str) -> None:
    x = torch.randn(2, 4, 3, device=device, requires_grad=True)
    y, mean, rstd = OPERATOR(x, 2, None, None, None, None, None, 1e-5, True)
    assert (y.requires_grad, mean.requires_grad, rstd.requires_grad) == (True, False, False)
    (first,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="impl='reference' alone"):
        first.sum().backward()


def test_a_result_does_not_depend_on_the_number_of_threads(kernel: Kernel) -> None:
    threads = torch.get_num_threads()
    for shape, share in (((4, 32, 16, 16), 1), ((600, 96), 300)):
        x = torch.randn(shape, device=kernel.device)
        parts, grad = parts_of(x, share=share), torch.randn_like(x)
        found = []
        try:
            for count in (1, 3):
                torch.set_num_threads(count)
                y, mean, rstd = kernel.forward(x, 4, *parts, 1e-5, True)
                found.append([y, *kernel.backward(grad, x, mean, rstd, 4, *parts, True)])
        finally:
            torch.set_num_threads(threads)
        assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_a_cuda_graph_holds_it(device: str) -> None:
    if device != "cuda":
        pytest.skip("graphs are CUDA's")
    x = torch.randn(4, 16, 8, 8, device=device)
    parts, grad = parts_of(x), torch.randn_like(x)

    def run() -> list[Tensor]:
        y, mean, rstd = OPERATOR(x, 4, *parts, 1e-5, True)
        return [y, *BACKWARD(grad, x, mean, rstd, 4, *parts, True)]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = run()
    x.normal_()
    grad.normal_()
    graph.replay()
    torch.testing.assert_close(captured, run())


def test_the_layer_takes_it_and_compiles_whole(device: str) -> None:
    layer = AdaGroupNorm(16, noise=6, condition=5).to(device)
    given = [torch.randn(3, 16, 4, 4, device=device, requires_grad=True)]
    given += [torch.randn(3, width, device=device) for width in (6, 5)]
    y = layer(*given)
    assert "Derived" in y.grad_fn.name()  # the C++ derivative of the kernel
    compiled: Any = torch.compile(layer, fullgraph=True, backend="aot_eager")(*given)
    scale, shift = layer.from_noise(given[1]).chunk(2, dim=1)
    gain = layer.from_condition(given[2])
    expected = ada_group_norm(
        given[0], 4, scale=scale, shift=shift, gain=gain, activation="silu", impl="reference"
    )
    asked = [given[0], *layer.parameters()]
    for out in (y, compiled):
        torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-5)
        gradients = torch.autograd.grad(out.square().sum(), asked, retain_graph=True)
        wanted = torch.autograd.grad(expected.square().sum(), asked, retain_graph=True)
        torch.testing.assert_close(gradients, wanted, atol=1e-4, rtol=1e-4)


def test_nothing_is_returned_for_a_type_the_kernel_lacks(device: str) -> None:
    x = torch.randn(2, 8, 4, dtype=torch.float64, device=device)
    assert ada_group_norm(x, 2).dtype == torch.float64
    with pytest.raises(TypeError, match="kernel takes float32"):
        OPERATOR(x, 2, None, None, None, None, None, 1e-5, True)
