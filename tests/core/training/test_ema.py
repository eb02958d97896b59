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
