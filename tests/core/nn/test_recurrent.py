from __future__ import annotations

import pytest
import torch

from seqdis.core.nn.recurrent import FactorLSTM, remember, reverse_valid


def test_causal_dynamics_depend_on_the_past_only() -> None:
    net = FactorLSTM(5, 3, 2, causal=True)
    f = torch.randn(2, 6, 5)
    static, dynamic = net(f)
    assert static.shape == (2, 3)
    assert dynamic.shape == (2, 6, 2)
    later = f.clone()
    later[:, 4:] += torch.randn(2, 2, 5)
    static_later, dynamic_later = net(later)
    torch.testing.assert_close(dynamic_later[:, :4], dynamic[:, :4])
    assert (dynamic_later[:, 4:] - dynamic[:, 4:]).abs().min(dim=2).values.max() > 1e-4
    assert (static_later - static).abs().max() > 1e-4


def test_bidirectional_dynamics_depend_on_the_future_too() -> None:
    net = FactorLSTM(5, 3, 2, causal=False)
    f = torch.randn(1, 6, 5)
    later = f.clone()
    later[:, 5] += torch.randn(1, 5)
    assert (net(later)[1][:, 0] - net(f)[1][:, 0]).abs().max() > 1e-5


@pytest.mark.parametrize("causal", [True, False])
def test_padding_changes_neither_factor(causal: bool) -> None:
    net = FactorLSTM(5, 3, 2, causal=causal)
    f = torch.randn(2, 8, 5)
    mask = torch.tensor([[True] * 5 + [False] * 3, [True] * 8])
    static, dynamic = net(f, mask)
    short_static, short_dynamic = net(f[:1, :5])
    torch.testing.assert_close(static[:1], short_static)
    torch.testing.assert_close(dynamic[:1, :5], short_dynamic)


def test_unshared_static_has_one_vector_a_step() -> None:
    assert FactorLSTM(5, 3, 2, shared=False)(torch.randn(2, 6, 5))[0].shape == (2, 6, 3)


@pytest.mark.parametrize("causal", [True, False])
def test_a_long_memory_hears_the_middle_of_a_long_sequence_in_the_static_factor(causal: bool) -> None:
    # Neither end of 300 steps is near their middle.
    x = torch.randn(4, 300, 16)
    other = x.clone()
    other[:, 140:160] = torch.randn(16)  # one frame for twenty steps

    def effect(memory: int | None) -> float:
        torch.manual_seed(0)
        net = FactorLSTM(16, 3, 2, causal=causal, memory=memory)
        with torch.no_grad():
            return float((net(other)[0] - net(x)[0]).norm() / net(x)[0].norm())

    assert effect(None) < 1e-3
    assert effect(300) > 0.02


def test_the_memory_is_spread_over_all_times_up_to_the_longest() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(4, 500)
    before = lstm.bias_ih_l0[1000:].clone()
    remember(lstm, 100)
    enter, keep = (lstm.bias_ih_l0 + lstm.bias_hh_l0)[:1000].chunk(2)  # input and forget gates
    torch.testing.assert_close(enter, -keep)
    times = keep.exp() + 1  # σ(ln u) = 1 − 1/(u + 1)
    assert 2 <= float(times.min()) < 5
    assert 95 < float(times.max()) <= 100
    assert float(times.mean()) == pytest.approx(51, abs=5)
    assert torch.equal(lstm.bias_ih_l0[1000:], before)


def test_reversal_keeps_the_padding_in_place_and_undoes_itself() -> None:
    x = torch.arange(10.0).view(1, 5, 2).repeat(2, 1, 1)
    lengths = torch.tensor([3, 5])
    turned = reverse_valid(x, lengths)
    assert turned[0, :, 0].tolist() == [4, 2, 0, 6, 8]
    assert turned[1, :, 0].tolist() == [8, 6, 4, 2, 0]
    assert torch.equal(reverse_valid(turned, lengths), x)
