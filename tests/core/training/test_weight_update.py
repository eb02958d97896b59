from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from seqdis.core.config import RunConfig, TrainConfig
from seqdis.core.pretrained import build_model
from seqdis.core.training.ema import EMA
from seqdis.core.training.optimizer import build_optimizer

Configure = Callable[..., RunConfig]


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def _large() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(600, 400)  # enough for torch to share the work among threads


def test_a_step_and_the_average_do_not_depend_on_the_number_of_threads(
    threads: Callable[[int], None],
) -> None:
    results = []
    for count in (1, 2, 3):
        threads(count)
        model = _large()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        ema = EMA(model, decay=0.9)
        for n in range(3):
            for i, p in enumerate(model.parameters()):
                p.grad = torch.randn(p.shape, generator=torch.Generator().manual_seed(10 * n + i))
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            ema.update(n)
        own = model.weight.detach().clone()
        ema.keep()
        results.append((own, model.weight.detach().clone()))
    for own, averaged in results[1:]:
        assert torch.equal(own, results[0][0])
        assert torch.equal(averaged, results[0][1])


def test_it_is_fused_and_takes_the_steps_of_the_plain_formula(plain_config: Configure) -> None:
    config = plain_config()
    model = build_model(config)
    train = TrainConfig(lr=0.1, betas=(0.9, 0.99), weight_decay=0.01)
    optimizer = build_optimizer(model, train)
    assert all(group["fused"] for group in optimizer.param_groups)
    parameter = next(p for p in model.parameters() if p.requires_grad)
    expected, m, v = parameter.detach().double().clone(), 0.0, 0.0
    for t in range(1, 4):
        gradient = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(t))
        parameter.grad = gradient
        optimizer.step()
        g = gradient.double()
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        expected = expected * (1 - 0.1 * 0.01)
        expected = expected - 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.99**t)).sqrt() + 1e-8)
    torch.testing.assert_close(parameter.detach().double(), expected, rtol=1e-5, atol=1e-6)
