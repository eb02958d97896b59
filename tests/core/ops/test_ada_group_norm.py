from __future__ import annotations

import itertools

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.ops import ada_group_norm


@pytest.mark.parametrize("shape", [(2, 8), (2, 8, 5), (3, 8, 4, 4), (2, 8, 2, 3, 4)])
@pytest.mark.parametrize(("scale", "shift", "gain", "act"), list(itertools.product([False, True], repeat=4)))
def test_it_is_the_formula(shape: tuple[int, ...], scale: bool, shift: bool, gain: bool, act: bool) -> None:
    x = torch.randn(*shape, dtype=torch.float64)
    parts = {n: torch.randn(shape[:2], dtype=torch.float64) for n, on in
             (("scale", scale), ("shift", shift), ("gain", gain)) if on}  # fmt: skip
    groups = x.reshape(shape[0], 2, -1)
    expected = (groups - groups.mean(2, keepdim=True)) / (
        groups.var(2, keepdim=True, correction=0) + 1e-5
    ).sqrt()
    expected = expected.reshape(shape)
    for name, apply in (("scale", torch.mul), ("shift", torch.add), ("gain", torch.mul)):
        if name in parts:
            expected = apply(expected, parts[name].reshape(*shape[:2], *(1,) * (len(shape) - 2)))
    if act:
        expected = expected * torch.sigmoid(expected)
    got = ada_group_norm(x, 2, **parts, activation="silu" if act else None)  # type: ignore[arg-type]
    torch.testing.assert_close(got, expected)


def test_gradients_reach_every_part() -> None:
    x = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    parts = [torch.randn(2, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]

    def call(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        return ada_group_norm(x, 2, scale=scale, shift=shift, gain=gain, activation="silu")

    assert torch.autograd.gradcheck(call, (x, *parts))


def test_bad_shapes_are_named() -> None:
    with pytest.raises(InputError, match="6 channels do not split into 4 groups"):
        ada_group_norm(torch.randn(2, 6), 4)
    with pytest.raises(InputError, match=r"gain is \(2, 3\); needed: \(2, 6\)"):
        ada_group_norm(torch.randn(2, 6, 4), 2, gain=torch.randn(2, 3))
