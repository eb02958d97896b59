from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import seqdis.core.quantize.draw as module
from seqdis.core.quantize import GroupVectorQuantizer
from seqdis.core.quantize.draw import DrawnEntries, draw_entries, draw_entries_reference
from seqdis.core.random import GeneratorStack

COUNT, GROUPS, ENTRIES, DIM = 37, 5, 7, 3


def given(seed: int = 0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(seed)
    m = torch.randn(COUNT, GROUPS, DIM, generator=g).to(dtype).requires_grad_()
    codebook = torch.randn(GROUPS, ENTRIES, DIM, generator=g).to(dtype).requires_grad_()
    return m, codebook, torch.rand(COUNT, GROUPS, ENTRIES, generator=g).to(dtype)


def scalar(drawn: DrawnEntries) -> Tensor:
    """Something of both differentiable outputs that treats no entry like another."""
    g = torch.Generator().manual_seed(9)
    to_z, to_p = (torch.randn(part.shape, generator=g).to(part.dtype) for part in (drawn.z, drawn.probs))
    return (drawn.z * to_z).sum() + (drawn.probs * to_p).sum()


@pytest.mark.parametrize("cached", [1, 80, 1 << 17])
@pytest.mark.parametrize("temperature", [0.1, 1.0, 2.0])
def test_values_and_gradients_are_those_of_the_reference(
    cached: int, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CACHED", cached)
    tau, results = torch.tensor(temperature, dtype=torch.float64), []
    for draw in (draw_entries, draw_entries_reference):
        m, codebook, uniform = given(dtype=torch.float64)
        drawn = draw(m, codebook, uniform, scale=1.7, temperature=tau)
        scalar(drawn).backward()
        results.append((drawn, m.grad, codebook.grad))
    (fast, *fast_grads), (plain, *plain_grads) = results
    assert torch.equal(fast.codes, plain.codes)
    torch.testing.assert_close((fast.z, fast.probs), (plain.z, plain.probs))
    torch.testing.assert_close(fast_grads, plain_grads)


def test_a_uniform_number_of_zero_draws_nothing_and_harms_nothing() -> None:
    m, codebook, uniform = given()
    uniform[..., 0] = 0
    drawn = draw_entries(m, codebook, uniform, scale=1.0, temperature=torch.tensor(0.5))
    scalar(drawn).backward()
    assert (drawn.codes > 0).all()
    assert m.grad is not None
    assert torch.isfinite(m.grad).all()


def test_far_entries_have_finite_gradients() -> None:
    m, codebook, uniform = given()
    drawn = draw_entries(m, codebook, uniform, scale=1e4, temperature=torch.tensor(0.1))
    scalar(drawn).backward()
    assert m.grad is not None
    assert torch.isfinite(m.grad).all()
    assert torch.equal(drawn.codes, torch.cdist(m.transpose(0, 1), codebook).argmin(-1).T)


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation makes."""

    numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        made = [leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, Tensor)]
        self.numbers = max([self.numbers, *made])
        return out


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("relaxed", [False, True])
def test_no_tensor_has_entries_and_channels(training: bool, relaxed: bool) -> None:
    batch, steps, groups, entries, dim = 4, 6, 3, 8, 16
    quantizer = GroupVectorQuantizer(groups=groups, codes=entries, dim=dim, relaxed=relaxed)
    m = torch.randn(batch, steps, groups * dim, requires_grad=True)
    with Largest() as largest:
        out = quantizer.train(training)(m, generator=GeneratorStack.shard(0, batch, slice(0, batch)))
        (out.z.square().sum() + out.entropy_bits.sum()).backward()
    assert largest.numbers <= batch * steps * groups * max(entries, dim)
