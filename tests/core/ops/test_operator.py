"""The operators by their formulas in torch, which a built kernel replaces on its device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.library import opcheck

from seqdis.core.ops import ada_group_norm
from seqdis.core.ops._operator import backward_formula, forward_formula

OPERATOR = torch.ops.seqdis.ada_group_norm.default
BACKWARD = torch.ops.seqdis.ada_group_norm_backward.default


def parts_of(x: Tensor, which: str) -> list[Tensor | None]:
    """weight, bias, scale, shift, gain where ``which`` says 1."""
    shapes = [x.shape[1:2]] * 2 + [x.shape[:2]] * 3
    made = [torch.randn(shape, dtype=x.dtype, requires_grad=True) for shape in shapes]
    return [part if on == "1" else None for part, on in zip(made, which, strict=True)]


INPUTS = {
    "matrix": lambda: torch.randn(2, 8),
    "sequence": lambda: torch.randn(2, 8, 5),
    "contiguous": lambda: torch.randn(2, 8, 4, 3),
    "channels-last": lambda: torch.randn(2, 8, 4, 3).to(memory_format=torch.channels_last),
    "channels-last-3d": lambda: torch.randn(2, 8, 2, 3, 3).to(memory_format=torch.channels_last_3d),
    "strided": lambda: torch.randn(2, 8, 4, 6)[..., ::2],
    "empty": lambda: torch.randn(0, 8, 3),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("which", ["00000", "11111", "00101"])
def test_opcheck(name: str, which: str) -> None:
    x = INPUTS[name]().requires_grad_()
    parts = parts_of(x, which)
    opcheck(OPERATOR, (x, 2, *parts, 1e-5, True))
    _, mean, rstd = OPERATOR(x.detach(), 2, *parts, 1e-5, True)
    plain = [part if part is None else part.detach() for part in parts]
    opcheck(BACKWARD, (torch.randn_like(x), x.detach(), mean.detach(), rstd.detach(), 2, *plain, True))


@pytest.mark.parametrize("which", ["00000", "11111", "00111", "01010", "10001"])
@pytest.mark.parametrize("silu", [False, True])
def test_the_backward_formula_is_the_derivative(which: str, silu: bool) -> None:
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    parts = parts_of(x, which)
    given = [part.detach() for part in parts if part is not None]
    grad = torch.randn_like(x)

    def call(x: Tensor, *given: Tensor) -> Tensor:
        rest = iter(given)
        return forward_formula(x, 2, *(None if p is None else next(rest) for p in parts), 1e-5, silu)[0]

    _, expected = torch.autograd.functional.vjp(call, (x, *given), grad)
    _, mean, rstd = forward_formula(x, 2, *parts, 1e-5, silu)
    found = backward_formula(grad, x, mean, rstd, 2, *parts, silu)
    assert [len(part) == 0 for part in found[1:]] == [on == "0" for on in which]
    for value, reference in zip([part for part in found if part.numel()], expected, strict=True):
        torch.testing.assert_close(value, reference)


def test_a_second_derivative_is_refused_and_not_wrong() -> None:
    x = torch.randn(2, 4, 3, requires_grad=True)
    y = OPERATOR(x, 2, None, None, None, None, None, 1e-5, True)[0]
    (first,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="impl='reference' alone"):
        first.sum().backward()


@pytest.mark.parametrize("impl", ["operator", "reference"])
def test_it_compiles_without_a_break_in_the_graph(impl: str) -> None:
    def call(x: Tensor, scale: Tensor, gain: Tensor) -> Any:
        if impl == "operator":
            return OPERATOR(x, 2, None, None, scale, None, gain, 1e-5, True)[0].sin()
        return ada_group_norm(x, 2, scale=scale, gain=gain, activation="silu", impl="reference").sin()

    x = torch.randn(2, 8, 5, requires_grad=True)
    parts = [torch.randn(2, 8, requires_grad=True) for _ in range(2)]
    compiled = torch.compile(call, fullgraph=True, backend="aot_eager")
    eager, traced = call(x, *parts), compiled(x, *parts)
    torch.testing.assert_close(traced, eager)
    expected = torch.autograd.grad(eager.sum(), [x, *parts])
    torch.testing.assert_close(torch.autograd.grad(traced.sum(), [x, *parts]), expected)
