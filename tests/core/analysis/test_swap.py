from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.swap import swap_pairs
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.sequences import Sequences


@pytest.fixture
def model() -> Disentangler:
    return build_model(get_preset("toy")).eval()


def test_pairs_are_what_reconstruct_and_swap_give_alone(model: Disentangler) -> None:
    a, b = torch.randn(2, 3, 6, 8)
    reports = []
    result = swap_pairs(
        model, Sequences(a), Sequences(b), progress=lambda done, total: reports.append(done / total)
    )
    torch.testing.assert_close(result.a_reconstructed, model.reconstruct(a), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(result.b_reconstructed, model.reconstruct(b), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(result.a_static_b_dynamic, model.swap(a, b), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(result.b_static_a_dynamic, model.swap(b, a), atol=1e-4, rtol=1e-4)
    assert reports == sorted(reports)
    assert reports[-1] == 1


def test_a_pair_of_the_same_sequence_swaps_to_its_reconstruction(model: Disentangler) -> None:
    x = Sequences(torch.randn(2, 6, 8))
    result = swap_pairs(model, x, x)
    torch.testing.assert_close(result.a_static_b_dynamic, result.a_reconstructed)


def test_the_grid_has_a_column_a_pair(model: Disentangler) -> None:
    a, b = torch.randn(2, 3, 6, 8)
    result = swap_pairs(model, Sequences(a), Sequences(b))
    grid = result.grid()
    assert [len(row) for row in grid] == [3] * 6
    assert torch.equal(grid[0][1].frames, a[1])
    assert torch.equal(grid[4][2].frames, result.a_static_b_dynamic[2])
    assert grid[4][2].title == "static A + dynamic B"


def test_shapes_that_differ_are_refused(model: Disentangler) -> None:
    with pytest.raises(InputError, match=r"equal shapes; got \(1, 6, 8\) and \(2, 6, 8\)"):
        swap_pairs(model, Sequences(torch.randn(1, 6, 8)), Sequences(torch.randn(2, 6, 8)))
