from __future__ import annotations

import pytest
import torch
from torch import nn

from seqdis.core.methods.s3vae.fixed_network import fixed


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 4)).train()


def pictures() -> torch.Tensor:
    return torch.randn(8, 2, 4, 4, generator=torch.Generator().manual_seed(1))


def test_gradients_reach_the_input_alone_and_statistics_stay() -> None:
    free, held, x = network(), network(), pictures().requires_grad_()
    y = pictures().requires_grad_()
    before = {name: value.clone() for name, value in held.state_dict().items()}
    free(x).square().sum().backward()
    with fixed(held):
        out = held(y)
    out.square().sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    torch.testing.assert_close(y.grad, x.grad)
    assert all(p.grad is None for p in held.parameters())
    assert all(torch.equal(value, before[name]) for name, value in held.state_dict().items())
    assert any(not torch.equal(value, before[name]) for name, value in free.state_dict().items())


def test_afterwards_it_learns_as_before_but_for_what_was_frozen_already() -> None:
    net = network()
    net[0].weight.requires_grad_(False)
    with pytest.raises(ZeroDivisionError), fixed(net):
        1 / 0  # noqa: B018
    out = net(pictures())
    out.square().sum().backward()
    assert net[0].weight.grad is None
    assert all(p.grad is not None for name, p in net.named_parameters() if name != "0.weight")
    assert int(net[1].num_batches_tracked) == 1
