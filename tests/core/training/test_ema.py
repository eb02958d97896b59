from __future__ import annotations

import pytest
import torch
from torch import nn

from seqdis.core.training.ema import EMA


def test_follows_the_formula_with_its_warm_up() -> None:
    model = nn.Linear(3, 2)
    ema = EMA(model, decay=0.5)
    expected = model.weight.detach().double().clone()
    for n in range(12):
        with torch.no_grad():
            model.weight += torch.randn(2, 3)
        decay = min(0.5, (1 + n) / (10 + n))
        expected = decay * expected + (1 - decay) * model.weight.detach().double()
        ema.update(n)
    with ema.applied():
        torch.testing.assert_close(model.weight.detach().double(), expected, rtol=1e-5, atol=1e-6)


def test_weights_are_the_models_own_again_outside_even_after_an_error() -> None:
    model = nn.Linear(3, 2)
    ema = EMA(model, decay=0.9)
    with torch.no_grad():
        model.weight.add_(1)
    ema.update(5)
    own = model.weight.detach().clone()

    def fail_inside() -> None:
        with ema.applied():
            assert not torch.equal(model.weight, own)
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail_inside()
    assert torch.equal(model.weight, own)


def test_no_decay_copies_the_model() -> None:
    model = nn.Linear(3, 2)
    ema = EMA(model, decay=0.0)
    with torch.no_grad():
        model.weight.mul_(3)
    ema.update(0)
    own = model.weight.detach().clone()
    with ema.applied():
        assert torch.equal(model.weight, own)


def test_frozen_parameters_are_left_out() -> None:
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    ema = EMA(model, decay=0.9)
    with torch.no_grad():
        model.bias.add_(1)
    own = model.bias.detach().clone()
    with ema.applied():
        assert torch.equal(model.bias, own)


def test_one_call_for_all_parameters_gives_the_bits_of_one_call_for_each() -> None:
    model = nn.Sequential(nn.Linear(30, 20), nn.Conv2d(3, 5, 3).to(memory_format=torch.channels_last))  # type: ignore[call-overload]
    ema = EMA(model, decay=0.99)
    each = [p.detach().clone() for p in model.parameters()]
    for n in range(4):
        with torch.no_grad():
            for p, average in zip(model.parameters(), each, strict=True):
                p.add_(torch.randn(p.shape))
                average.lerp_(p, 1 - min(0.99, (1 + n) / (10 + n)))
        ema.update(n)
    ema.keep()
    assert all(torch.equal(p, average) for p, average in zip(model.parameters(), each, strict=True))
    assert all(p.requires_grad and p.grad_fn is None for p in model.parameters())
