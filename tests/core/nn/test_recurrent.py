from __future__ import annotations

import pytest
import torch

from seqdis.core.nn.recurrent import FactorLSTM, reverse_valid


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


def test_reversal_keeps_the_padding_in_place_and_undoes_itself() -> None:
    x = torch.arange(10.0).view(1, 5, 2).repeat(2, 1, 1)
    lengths = torch.tensor([3, 5])
    turned = reverse_valid(x, lengths)
    assert turned[0, :, 0].tolist() == [4, 2, 0, 6, 8]
    assert turned[1, :, 0].tolist() == [8, 6, 4, 2, 0]
    assert torch.equal(reverse_valid(turned, lengths), x)
