from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from seqdis.core.errors import InputError
from seqdis.eval.metrics.prediction_entropy import (
    balanced,
    inception_score,
    inter_entropy,
    intra_entropy,
    prediction_entropies,
)


def test_they_are_scipys_entropies() -> None:
    p = torch.softmax(2 * torch.randn(50, 6, generator=torch.Generator().manual_seed(0)), dim=1)
    rows = p.double().numpy()
    mean = rows.mean(0)
    assert intra_entropy(p) == pytest.approx(np.mean([entropy(row) for row in rows]), rel=1e-6)
    assert inter_entropy(p) == pytest.approx(entropy(mean), rel=1e-6)
    divergence = np.mean([entropy(row, mean) for row in rows])  # KL
    assert inception_score(p) == pytest.approx(math.exp(divergence), rel=1e-6)


def test_known_answers() -> None:
    sure_and_varied = torch.eye(4).repeat(3, 1)
    assert inception_score(sure_and_varied) == pytest.approx(4)
    assert intra_entropy(sure_and_varied) == 0
    assert inter_entropy(sure_and_varied) == pytest.approx(math.log(4))
    constant = torch.eye(4)[:1].repeat(5, 1)
    assert inception_score(constant) == pytest.approx(1)
    undecided = torch.full((5, 4), 0.25)
    assert inception_score(undecided) == pytest.approx(1)
    assert intra_entropy(undecided) == pytest.approx(math.log(4))


def test_metrics_have_intervals_and_chance() -> None:
    p = torch.softmax(3 * torch.randn(200, 3, generator=torch.Generator().manual_seed(0)), dim=1)
    found = prediction_entropies(p, generator=torch.Generator().manual_seed(0))
    assert list(found) == ["inception_score", "intra_entropy", "inter_entropy"]
    assert [m.chance for m in found.values()] == [1.0, pytest.approx(math.log(3)), 0.0]
    assert [m.higher_is_better for m in found.values()] == [True, False, True]
    for metric in found.values():
        assert metric.ci95 is not None
        assert metric.ci95[0] < metric.value < metric.ci95[1] + 1e-3


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(3,\); allowed: \(N, C\)"):
        intra_entropy(torch.ones(3))
    with pytest.raises(InputError, match="sum to 1"):
        intra_entropy(torch.ones(3, 2))
    with pytest.raises(InputError, match="sum to 1"):
        inter_entropy(torch.tensor([[1.5, -0.5]]))


def test_classes_are_balanced_by_the_first_of_each() -> None:
    truth = torch.tensor([0, 0, 2, 0, 2, 5, 0, 5])
    assert balanced(truth).tolist() == [0, 1, 2, 4, 5, 7]  # two of each that occur; 1, 3 and 4 are absent
    assert balanced(torch.tensor([3, 3])).tolist() == [0, 1]
    with pytest.raises(InputError, match=r"allowed: \(N,\) with N ≥ 1"):
        balanced(torch.zeros(0))
