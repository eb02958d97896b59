from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis import encode_dataset, row_sources
from seqdis.core.analysis.encode import evaluating
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.disentangler import Disentangler
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset, get_preset


@pytest.fixture
def model() -> Disentangler:
    return build_model(get_preset("toy"))


def test_the_whole_dataset_is_encoded_in_order_at_any_batch_size(model: Disentangler) -> None:
    dataset = build_dataset("toy", get_preset("toy").data, "val")
    reports: list[tuple[int, int]] = []
    factors = encode_dataset(model, dataset, batch_size=7, progress=lambda *report: reports.append(report))
    whole = encode_dataset(model, dataset, batch_size=1000)
    torch.testing.assert_close(factors.static, whole.static)
    torch.testing.assert_close(factors.dynamic, whole.dynamic)
    direct = model.eval().encode(dataset.fetch([5]).x)
    torch.testing.assert_close(factors[5].static, direct.static)
    assert reports == [(7, 24), (14, 24), (21, 24), (24, 24)]
    assert not factors.static.requires_grad


def test_masks_reach_the_encoder(model: Disentangler) -> None:
    x = torch.randn(2, 6, 8)
    mask = torch.arange(6) < torch.tensor([[3], [6]])
    one = encode_dataset(model, ArraySequences(x, mask=mask))
    other = encode_dataset(model, ArraySequences(torch.where(mask[..., None], x, 9.0), mask=mask))
    torch.testing.assert_close(one.static, other.static)
    torch.testing.assert_close(one.dynamic[mask], other.dynamic[mask])


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_put_back_even_after_an_error(training: bool) -> None:
    layer = torch.nn.Dropout().train(training)
    seen = []

    def fail() -> None:
        with evaluating(layer):
            seen.append((layer.training, torch.is_grad_enabled()))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert seen == [(False, False)]
    assert layer.training == training
    assert torch.is_grad_enabled()


def test_a_row_has_the_same_stream_in_any_batch() -> None:
    whole = row_sources(3, range(6)).draw("randn", (6, 4), "cpu", torch.float32)
    part = row_sources(3, [4, 1]).draw("randn", (2, 4), "cpu", torch.float32)
    assert torch.equal(part, whole[[4, 1]])
    assert not torch.equal(whole[0], row_sources(4, [0]).draw("randn", (1, 4), "cpu", torch.float32)[0])
