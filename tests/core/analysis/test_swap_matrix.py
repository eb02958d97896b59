from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.swap_matrix import swap_matrix
from seqdis.core.disentangler import Disentangler
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.sequences import Sequences


@pytest.fixture
def model() -> Disentangler:
    return build_model(get_preset("toy")).eval()


def test_every_entry_is_the_swap_of_its_pair(model: Disentangler) -> None:
    x = torch.randn(3, 6, 8)
    reports = []
    result = swap_matrix(model, Sequences(x), progress=lambda done, total: reports.append(done / total))
    assert torch.equal(result.sources, x)
    assert result.frames.shape == (3, 3, 6, 8)
    for i in range(3):
        row = model.swap(x[[i] * 3], x)
        torch.testing.assert_close(result.frames[i], row, atol=1e-4, rtol=1e-4)
    assert reports == sorted(reports)
    assert reports[-1] == 1


def test_the_diagonal_holds_the_reconstructions(model: Disentangler) -> None:
    x = torch.randn(3, 6, 8)
    result = swap_matrix(model, Sequences(x))
    diagonal = torch.stack([result.frames[i, i] for i in range(3)])
    torch.testing.assert_close(diagonal, model.reconstruct(x), atol=1e-4, rtol=1e-4)


def test_equal_seeds_give_equal_matrices(model: Disentangler) -> None:
    x = Sequences(torch.randn(2, 6, 8))
    first, second = (swap_matrix(model, x, generator=torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first.frames, second.frames)
