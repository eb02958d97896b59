from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.voice_similarity import voice_similarity


def test_it_is_the_mean_cosine_beside_that_of_the_wrong_voice() -> None:
    g = torch.Generator().manual_seed(0)
    made, wanted, other = (torch.randn(7, 5, generator=g) for _ in range(3))
    metric = voice_similarity(made, wanted, other=other, generator=torch.Generator().manual_seed(0))
    pairs = list(zip(made, wanted, other, strict=True))
    assert metric.value == pytest.approx(
        sum(float(a @ b / a.norm() / b.norm()) for a, b, _ in pairs) / 7, abs=1e-6
    )
    assert metric.chance == pytest.approx(
        sum(float(c @ b / c.norm() / b.norm()) for _, b, c in pairs) / 7, abs=1e-6
    )
    same = voice_similarity(3 * wanted, wanted, generator=torch.Generator().manual_seed(0))
    assert same.value == pytest.approx(1)
    assert same.chance is None


def test_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(7, 5\) and \(6, 5\); allowed: \(N, F\) alike"):
        voice_similarity(torch.ones(7, 5), torch.ones(6, 5), generator=torch.Generator())
