from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.ops import ada_group_norm

PARTS = ("weight", "bias", "scale", "shift", "gain")


def parts_for(x: Tensor, *names: str) -> dict[str, Tensor]:
    return {
        name: torch.randn(x.shape[1:2] if name in ("weight", "bias") else x.shape[:2], dtype=torch.float64)
        for name in names
    }


def formula(
    x: Tensor, groups: int, parts: dict[str, Tensor], *, eps: float = 1e-5, act: bool = False
) -> Tensor:
    """The definition, word for word, in float64."""
    x = x.double()
    flat = x.unflatten(1, (groups, -1)).flatten(2)
    centred = flat - flat.mean(2, keepdim=True)
    y = (centred / (centred.square().mean(2, keepdim=True) + eps).sqrt()).reshape(x.shape)
    for name, apply in zip(PARTS, (torch.mul, torch.add, torch.mul, torch.add, torch.mul), strict=True):
        if name in parts:
            y = apply(y, parts[name].double().reshape(-1, x.shape[1], *(1,) * (x.ndim - 2)))
    return y * torch.sigmoid(y) if act else y


@pytest.mark.parametrize("shape", [(2, 8), (2, 8, 5), (3, 8, 4, 4), (2, 8, 2, 3, 4), (0, 8, 3)])
@pytest.mark.parametrize("on", list(itertools.product([False, True], repeat=6)))
def test_it_is_the_formula(shape: tuple[int, ...], on: tuple[bool, ...]) -> None:
    x = torch.randn(*shape, dtype=torch.float64)
    parts = parts_for(x, *itertools.compress(PARTS, on))
    got = ada_group_norm(x, 2, **parts, activation="silu" if on[5] else None)  # type: ignore[arg-type]
    torch.testing.assert_close(got, formula(x, 2, parts, act=on[5]))


def test_gradients_reach_every_part() -> None:
    x = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    parts = [part.requires_grad_() for part in parts_for(x, *PARTS).values()]

    def call(x: Tensor, *parts: Tensor) -> Tensor:
        return ada_group_norm(x, 2, **dict(zip(PARTS, parts, strict=True)), activation="silu")

    assert torch.autograd.gradcheck(call, (x, *parts))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_large_mean_costs_few_digits(layout: torch.memory_format) -> None:
    x = (torch.randn(2, 8, 16, 16) + 1e4).to(memory_format=layout).requires_grad_()
    twin = x.detach().double().requires_grad_()
    grad = torch.randn(x.shape)
    y = ada_group_norm(x, 2)
    expected = formula(twin, 2, {})
    torch.testing.assert_close(y.double(), expected, atol=3e-3, rtol=0)
    y.backward(grad)
    expected.backward(grad.double())
    torch.testing.assert_close(x.grad.double(), twin.grad, atol=3e-3, rtol=0)  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [(1, 4), (1, 4, 1), (2, 4, 1, 1), (1, 4, 3, 3)])
def test_constants_and_groups_of_one_entry_become_the_offset(shape: tuple[int, ...]) -> None:
    parts = parts_for(torch.ones(shape), *PARTS)
    got = ada_group_norm(torch.full(shape, 7.0), 4, **{n: p.float() for n, p in parts.items()})
    offset = parts["gain"] * (parts["scale"] * parts["bias"] + parts["shift"])
    expected = offset.reshape(*shape[:2], *(1,) * (len(shape) - 2)).expand(shape)
    torch.testing.assert_close(got.double(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_layout_and_type_stay(dtype: torch.dtype, layout: torch.memory_format) -> None:
    x = torch.randn(2, 8, 4, 6).to(dtype).to(memory_format=layout)
    parts = parts_for(x, "scale", "shift", "gain", "weight", "bias")
    got = ada_group_norm(x, 4, **{n: p.float() for n, p in parts.items()}, activation="silu")
    assert got.dtype == dtype
    assert got.is_contiguous(memory_format=layout)
    tolerance = {torch.float32: 1e-5, torch.bfloat16: 0.1, torch.float16: 0.02}[dtype]
    expected = formula(x, 4, parts, act=True)
    torch.testing.assert_close(got.double(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize(("shape", "rows"), [((6, 8), 3), ((6, 8), 1), ((4, 8, 5), 2), ((4, 8, 3, 2), 2)])
def test_samples_may_share_rows_of_modulation(shape: tuple[int, ...], rows: int) -> None:
    x = torch.randn(shape, dtype=torch.float64)
    parts = {name: torch.randn(rows, 8, dtype=torch.float64) for name in PARTS[2:]}
    each = {name: part.repeat_interleave(len(x) // rows, 0) for name, part in parts.items()}
    got = ada_group_norm(x, 2, **parts, activation="silu")  # type: ignore[arg-type]
    torch.testing.assert_close(got, formula(x, 2, each, act=True))


@pytest.mark.parametrize("implementation", ["reference", "operator"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("shape", [(2, 8), (2, 8, 6, 5)])
@pytest.mark.parametrize("compiled", [False, True])
def test_under_autocast_the_type_of_x_stays_and_is_rounded_to_once(
    implementation: str, dtype: torch.dtype, shape: tuple[int, ...], compiled: bool
) -> None:
    x = torch.randn(shape).to(dtype).requires_grad_()
    parts = {n: p.to(dtype).requires_grad_() for n, p in parts_for(x, "scale", "shift", "gain").items()}
    grad = torch.randn(shape).to(dtype)

    def call(x: Tensor, **parts: Tensor) -> Tensor:
        if implementation == "reference":
            return ada_group_norm(x, 2, **parts, activation="silu", impl="reference")  # type: ignore[arg-type]
        y: Tensor = torch.ops.seqdis.ada_group_norm(x, 2, None, None, *parts.values(), 1e-5, True)[0]
        return y

    run = torch.compile(call, fullgraph=True, backend="aot_eager") if compiled else call
    with torch.autocast("cpu", dtype):
        y = run(x, **parts)
    found = torch.autograd.grad(y, [x, *parts.values()], grad)
    wide = {name: part.detach().double().requires_grad_() for name, part in parts.items()}
    exact = x.detach().double().requires_grad_()
    expected = formula(exact, 2, wide, act=True)
    assert y.dtype == dtype
    half_a_step = torch.finfo(dtype).eps / 2
    torch.testing.assert_close(y.double(), expected, rtol=1.01 * half_a_step, atol=1e-5)
    assert [gradient.dtype for gradient in found] == [dtype] * 4
    for gradient, wanted in zip(
        found, torch.autograd.grad(expected, [exact, *wide.values()], grad.double()), strict=True
    ):
        torch.testing.assert_close(gradient.double(), wanted, rtol=1.01 * half_a_step, atol=1e-4)


def test_a_view_gives_what_its_copy_gives() -> None:
    x = torch.randn(2, 4, 6, 16)[..., ::2].transpose(2, 3)
    torch.testing.assert_close(ada_group_norm(x, 2), ada_group_norm(x.contiguous(), 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ada_group_norm(torch.randn(2, 6), 4), "6 channels do not split into 4 groups"),
        (lambda: ada_group_norm(torch.randn(2, 6), 0), "6 channels do not split into 0 groups"),
        (lambda: ada_group_norm(torch.randn(6), 2), r"x is \(6,\); needed: \(N, C, \*spatial\)"),
        (lambda: ada_group_norm(torch.ones(2, 6).long(), 2), r"x is torch.int64; needed: a floating-point"),
        (lambda: ada_group_norm(torch.randn(2, 6, 4), 2, gain=torch.randn(2, 3)),
         r"gain is \(2, 3\); needed: \(2, 6\), or for all of them fewer rows, a divisor of 2"),
        (lambda: ada_group_norm(torch.randn(4, 6), 2, scale=torch.randn(3, 6)), r"scale is \(3, 6\); needed"),
        (lambda: ada_group_norm(torch.randn(4, 6), 2, scale=torch.randn(2, 6), gain=torch.randn(4, 6)),
         r"gain is \(4, 6\); needed"),
        (lambda: ada_group_norm(torch.randn(2, 6, 4), 2, weight=torch.randn(3)),
         r"weight is \(3,\); needed: \(6,\)"),
        (lambda: ada_group_norm(torch.randn(2, 6), 2, activation="relu"),  # type: ignore[arg-type]
         "unknown activation 'relu'; allowed: silu"),
        (lambda: ada_group_norm(torch.randn(2, 6), 2, impl="gpu"),  # type: ignore[arg-type]
         "unknown impl 'gpu'.*allowed: auto, cpu, cuda, reference"),
        (lambda: ada_group_norm(torch.randn(2, 6), 2, impl="cuda"),
         "impl 'cuda' (takes tensors of that device|needs a built kernel, but no cuda device is here; `seqdis)"),
        (lambda: ada_group_norm(torch.randn(2, 6).half(), 2, impl="cpu"),
         r"the cpu kernel takes float32, bfloat16; x is torch.float16"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]
