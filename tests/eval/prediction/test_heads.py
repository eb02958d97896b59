"""The heads of the time-series protocols, and how they are trained."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from seqdis.eval.prediction.head_training import fit_head, new_head, standardised
from seqdis.eval.prediction.heads import LabelHead, OutcomeHead, QuantityHead


def test_an_outcome_is_read_at_each_sequences_last_step() -> None:
    head = OutcomeHead(static=3, dynamic=2).eval()
    static, dynamic = torch.randn(4, 3), torch.randn(4, 6, 2)
    last = torch.tensor([0, 2, 5, 3])
    found = head(static, dynamic, last)
    for i, end in enumerate(last.tolist()):
        h = head.lstm(dynamic[i : i + 1, : end + 1])[1][0][0]
        torch.testing.assert_close(found[i], head.layers(torch.cat([h, static[i : i + 1]], dim=1))[0, 0])


def test_the_layers_are_those_of_the_protocol() -> None:
    outcome, quantity, label = (
        OutcomeHead(static=3, dynamic=2), QuantityHead(inputs=7), LabelHead(inputs=5, classes=4)
    )  # fmt: skip
    widths = {
        name: [(m.in_features, m.out_features) for m in head.modules() if isinstance(m, nn.Linear)]
        for name, head in (("outcome", outcome), ("quantity", quantity), ("label", label))
    }
    assert widths == {
        "outcome": [(35, 16), (16, 1)],
        "quantity": [(7, 32), (32, 8), (8, 1)],
        "label": [(5, 64), (64, 4)],
    }
    assert outcome.lstm.hidden_size == 32
    assert [m.p for m in outcome.modules() if isinstance(m, nn.Dropout)] == [0.5]
    assert isinstance(quantity.layers[0], nn.BatchNorm1d)
    assert quantity(torch.randn(6, 7)).shape == (6,)
    assert label(torch.randn(6, 5)).shape == (6, 4)


def line() -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.linspace(-1, 1, 41)[:, None]
    return x, 3 * x[:, 0] + 1


def make() -> QuantityHead:
    return QuantityHead(inputs=1)


def test_it_learns_a_line() -> None:
    x, y = line()
    head = fit_head(
        new_head(make, seed=0), (x, y), loss=functional.l1_loss, epochs=150, batch_size=16, seed=0, lr=1e-2
    )
    assert not head.training
    assert float(functional.l1_loss(head(x), y).detach()) < 0.3


def test_the_best_epoch_on_held_out_examples_is_kept() -> None:
    x, y = line()
    val = (x, -y)  # the better it learns, the worse it gets there
    kept = fit_head(
        new_head(make, seed=0), (x, y), loss=functional.mse_loss, epochs=40, batch_size=16, seed=0, val=val
    )
    last = fit_head(
        new_head(make, seed=0), (x, y), loss=functional.mse_loss, epochs=40, batch_size=16, seed=0
    )
    errors = [float(functional.mse_loss(head(x), -y).detach()) for head in (kept, last)]
    assert errors[0] < errors[1]


def test_a_last_batch_of_one_joins_the_one_before() -> None:
    x, y = line()
    fit_head(new_head(make, seed=0), (x, y), loss=functional.mse_loss, epochs=1, batch_size=40, seed=0)


def test_the_seed_decides_all_and_leaves_the_global_stream_alone() -> None:
    x, y = line()
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    heads = [
        fit_head(new_head(make, seed=s), (x, y), loss=functional.mse_loss, epochs=3, batch_size=8, seed=s)
        for s in (4, 4, 5)
    ]
    assert torch.equal(torch.rand(1), expected)
    first, second, other = (head(x) for head in heads)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_standardised_by_the_training_split() -> None:
    train, test = 4 + 3 * torch.randn(50, 6, 2), torch.randn(5, 6, 2)
    train[..., 1] = 7.0
    a, b = standardised(train, (test,))
    flat = train.reshape(-1, 2)
    torch.testing.assert_close(a[..., 0], (train[..., 0] - flat[:, 0].mean()) / flat[:, 0].std(correction=0))
    assert (a[..., 1] == 0).all()
    torch.testing.assert_close(b[..., 1], test[..., 1] - 7)
    assert float(a[..., 0].mean()) == pytest.approx(0, abs=1e-5)
