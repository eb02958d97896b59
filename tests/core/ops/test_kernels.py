"""The built kernels against the definition in float64: on the CPU where a compiler is found, on a GPU if any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from seqdis.core.nn.norm import AdaGroupNorm
from seqdis.core.ops import _build, ada_group_norm
from seqdis.core.ops._compile import build_kernel, cpu_compiler, cuda_compiler
from seqdis.core.ops._operator import backward_formula, forward_formula

OPERATOR = torch.ops.seqdis.ada_group_norm.default
BACKWARD = torch.ops.seqdis.ada_group_norm_backward.default
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
# Shape and groups: vectors that fit and do not, rows shorter than a vector, groups of one entry, one group
# over everything, more channels than a block has threads, and samples of which one fills no machine.
CASES = [
    ((2, 8, 4, 4), 2),
    ((3, 12, 5), 4),
    ((2, 12), 12),
    ((1, 6, 7, 3), 3),
    ((2, 20, 3, 5, 2), 5),
    ((2, 64, 33, 31), 16),
    ((5, 32, 16, 16), 8),
    ((2, 4, 1), 4),
    ((1, 8, 300, 304), 1),
    ((2, 40, 17, 19), 8),
    ((2, 8, 1, 257), 4),
    ((1, 2400, 2, 2), 3),
    ((0, 8, 3), 2),
    ((2, 8, 0), 2),
]


@pytest.fixture(scope="module", params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A device whose kernel is built and loaded; skipped with the reason where that cannot be."""
    name: str = request.param
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU is here")
    if (cpu_compiler if name == "cpu" else cuda_compiler)() is None:
        pytest.skip(f"no compiler for the {name} kernel is here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQDIS_KERNELS", str(tmp_path_factory.mktemp("kernels")))
        patch.setattr(_build, "_known", {})
        build_kernel(name)
        assert _build.kernel_state(name) is None
        yield name


def parts_of(x: Tensor, which: str = "11111") -> list[Tensor | None]:
    """weight, bias, scale, shift, gain where ``which`` says 1; two of them strided, one in half precision."""
    n, c = x.shape[:2]
    both = torch.randn(n, 2 * c, device=x.device)
    made = [
        torch.randn(c, device=x.device),
        torch.randn(c, device=x.device),
        both[:, :c],
        both[:, c:].bfloat16(),
    ]
    made.append(torch.randn(n, c, device=x.device))
    return [part if on == "1" else None for part, on in zip(made, which, strict=True)]


def compare(x: Tensor, groups: int, parts: list[Tensor | None], *, silu: bool, tolerance: float) -> None:
    """Values and all gradients, each relative to the largest entry of what they should be."""
    wide = [part if part is None else part.double() for part in parts]
    y, mean, rstd = OPERATOR(x, groups, *parts, 1e-5, silu)
    exact, *statistics = forward_formula(x.double(), groups, *wide, 1e-5, silu)
    grad = torch.randn(x.shape, device=x.device).to(x.dtype)
    found = BACKWARD(grad, x, mean, rstd, groups, *parts, silu)
    expected = backward_formula(grad.double(), x.double(), *statistics, groups, *wide, silu)
    assert y.stride() == torch.empty_like(x).stride()
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
    device: str, shape: tuple[int, ...], groups: int, dtype: torch.dtype, last: bool
) -> None:
    if dtype not in _build.KERNEL_DTYPES[device]:
        pytest.skip(f"the {device} kernel does not take {dtype}")
    x = torch.randn(shape, device=device).to(dtype)
    if last:
        x = x.to(memory_format=LAYOUTS.get(len(shape), torch.contiguous_format))
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 8e-3, torch.float16: 1e-3}[dtype]
    for silu in (False, True):
        compare(x, groups, parts_of(x), silu=silu, tolerance=tolerance)


@pytest.mark.parametrize("which", ["00000", "00111", "10000", "01010", "11001"])
def test_parts_that_are_missing(device: str, which: str) -> None:
    for layout in (torch.contiguous_format, torch.channels_last):
        x = torch.randn(3, 16, 6, 6, device=device).to(memory_format=layout)
        compare(x, 4, parts_of(x, which), silu=True, tolerance=1e-5)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", [(2, 8, 16, 16), (1, 4, 256, 256)])
def test_a_large_mean_and_a_constant(
    device: str, layout: torch.memory_format, shape: tuple[int, ...]
) -> None:
    x = (torch.randn(shape, device=device) + 1e4).to(memory_format=layout)
    compare(x, 2, parts_of(x), silu=True, tolerance=3e-3)
    constant = torch.full(shape, 1e4, device=device).to(memory_format=layout)
    y, mean, rstd = OPERATOR(constant, 2, None, None, None, None, None, 1e-5, False)
    assert float(y.abs().max()) == 0
    assert float((mean - 1e4).abs().max()) == 0
    torch.testing.assert_close(rstd, torch.full_like(rstd, 1e-5**-0.5))


def test_an_outlier_in_front_costs_nothing(device: str) -> None:
    x = torch.randn(2, 8, 32, 32, device=device)
    x[:, ::4, 0, 0] = 1e4
    for layout in (torch.contiguous_format, torch.channels_last):
        compare(x.to(memory_format=layout), 2, parts_of(x), silu=False, tolerance=1e-5)


def test_a_view_that_starts_off_a_boundary(device: str) -> None:
    flat = torch.randn(2 * 8 * 16 + 1, device=device)[1:].view(2, 8, 4, 4)
    compare(flat, 2, parts_of(flat), silu=True, tolerance=1e-5)
    strided = torch.randn(2, 8, 4, 8, device=device)[..., ::2]
    y = OPERATOR(strided, 2, None, None, None, None, None, 1e-5, True)[0]
    again = OPERATOR(strided.contiguous(), 2, None, None, None, None, None, 1e-5, True)[0]
    assert torch.equal(y, again)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_opcheck(device: str, layout: torch.memory_format) -> None:
    x = torch.randn(2, 8, 4, 4, device=device).to(memory_format=layout).requires_grad_()
    parts = [part if part is None else part.detach().requires_grad_() for part in parts_of(x, "11101")]
    opcheck(OPERATOR, (x, 2, *parts, 1e-5, True))


def test_the_layer_takes_it_and_compiles_whole(device: str) -> None:
    layer = AdaGroupNorm(16, noise=6, condition=5).to(device)
    given = [torch.randn(3, 16, 4, 4, device=device, requires_grad=True)]
    given += [torch.randn(3, width, device=device) for width in (6, 5)]
    y = layer(*given)
    assert "seqdis_ada_group_norm" in type(y.grad_fn).__name__
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
