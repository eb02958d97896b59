from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.nn.predictability import Predictability


def told_share(size: int, seed: int) -> tuple[Tensor, Tensor]:
    """``s`` and ``d`` of six steps, whose mean is one part of ``s`` and three parts of noise that ``s`` knows nothing of."""
    rows = torch.Generator().manual_seed(seed)
    static = torch.randn(size, 4, generator=rows)
    own = torch.randn(size, 2, generator=rows)
    mean = 0.5 * static[:, :2] + 0.75**0.5 * own
    swing = torch.randn(size, 6, 2, generator=rows)
    return static, mean[:, None] + swing - swing.mean(1, keepdim=True)


def test_the_reader_finds_the_share_of_the_variance_that_s_tells() -> None:
    torch.manual_seed(0)
    model = Predictability(4, 2, weight=3.0, hidden=16)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for step in range(400):
        optimizer.zero_grad()
        model(*told_share(256, step)).reading.backward()
        optimizer.step()
    both = model(*told_share(20000, 999))
    assert abs(both.share.item() - 0.25) < 0.04
    assert abs(both.reading.item() - 0.75) < 0.04


def test_each_loss_moves_its_own_side_and_none_moves_d() -> None:
    torch.manual_seed(0)
    model = Predictability(4, 2, weight=3.0, hidden=16)
    static, dynamic = (x.requires_grad_() for x in told_share(8, 0))
    both = model(static, dynamic)
    weights = list(model.parameters())
    reading = torch.autograd.grad(both.reading, [static, dynamic, *weights], allow_unused=True)
    share = torch.autograd.grad(both.share, [static, dynamic, *weights], allow_unused=True)
    assert [g is None for g in reading] == [True, True, *[False] * len(weights)]
    assert [g is None for g in share] == [False, True, *[True] * len(weights)]


def explained(static: Tensor, goal: Tensor) -> float:
    """The share of the goal's variance that linear regression finds in ``s``."""
    x = static - static.mean(0)
    y = goal - goal.mean(0)
    rest = y - x @ torch.linalg.lstsq(x, y).solution
    return 1 - float(rest.square().mean() / y.square().mean())


def test_an_encoder_that_lowers_the_share_forgets_what_both_tell_and_keeps_what_is_needed() -> None:
    torch.manual_seed(0)
    model, encoder, decoder = (
        Predictability(4, 2, weight=3.0, hidden=16),
        torch.nn.Linear(4, 4),
        torch.nn.Linear(4, 4),
    )
    torch.nn.init.eye_(encoder.weight)
    fast = [*model.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam([{"params": fast, "lr": 1e-2}, {"params": encoder.parameters(), "lr": 2e-3}])
    static, dynamic = told_share(5000, 999)

    def seen(x: Tensor) -> Tensor:  # without noise, a linear map of full rank loses nothing for good
        return encoder(x) + 0.3 * torch.randn(x.shape)

    assert explained(seen(static).detach(), dynamic.mean(1)) > 0.2
    for step in range(1000):
        optimizer.zero_grad()
        some, moves = told_share(256, step)
        both = model(encoder(some), moves)
        error = (decoder(seen(some)) - some).square().mean()
        (both.total + error).backward()
        optimizer.step()
    assert explained(seen(static).detach(), dynamic.mean(1)) < 0.05
    assert explained(seen(static).detach(), static[:, 2:]) > 0.8


def test_missing_steps_and_sequences_alone_count_for_nothing() -> None:
    torch.manual_seed(0)
    model = Predictability(4, 2, weight=3.0, hidden=16)
    static, dynamic = told_share(8, 0)
    mask = torch.ones(8, 6, dtype=torch.bool)
    mask[:, 4:] = False
    padded = torch.where(mask[..., None], dynamic, torch.nan)
    both, short = model(static, padded, mask), model(static, dynamic[:, :4])
    torch.testing.assert_close(both.reading, short.reading)
    torch.testing.assert_close(both.share, short.share)
    alone = model(static[:1], dynamic[:1])
    assert alone.share.item() == 0
    assert torch.isfinite(alone.reading)
