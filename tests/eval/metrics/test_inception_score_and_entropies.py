from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from seqdis.core.errors import InputError
from seqdis.eval.metrics.inception_score import inception_score
from seqdis.eval.metrics.inter_entropy import inter_entropy
from seqdis.eval.metrics.intra_entropy import intra_entropy
from seqdis.eval.metrics.predictions import balanced

FIGURES = (inception_score, intra_entropy, inter_entropy)


def seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def values(p: torch.Tensor) -> list[float]:
    return [figure(p, generator=seed()).value for figure in FIGURES]


def test_they_are_scipys_entropies() -> None:
    p = torch.softmax(2 * torch.randn(50, 6, generator=seed()), dim=1)
    rows = p.double().numpy()
    mean = rows.mean(0)
    score, intra, inter = values(p)
    assert intra == pytest.approx(np.mean([entropy(row) for row in rows]), rel=1e-6)
    assert inter == pytest.approx(entropy(mean), rel=1e-6)
    divergence = np.mean([entropy(row, mean) for row in rows])  # KL
    assert score == pytest.approx(math.exp(divergence), rel=1e-6)


def test_known_answers() -> None:
    sure_and_varied = torch.eye(4).repeat(3, 1)
    assert values(sure_and_varied) == pytest.approx([4, 0, math.log(4)])
    constant = torch.eye(4)[:1].repeat(5, 1)
    assert values(constant) == pytest.approx([1, 0, 0])
    undecided = torch.full((5, 4), 0.25)
    assert values(undecided) == pytest.approx([1, math.log(4), math.log(4)])
    tie = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])  # between two of three classes; one is absent
    assert values(tie) == pytest.approx([1, math.log(2), math.log(2)])


def test_metrics_have_intervals_and_chance() -> None:
    p = torch.softmax(3 * torch.randn(200, 3, generator=seed()), dim=1)
    found = [figure(p, generator=seed()) for figure in FIGURES]
    assert [m.chance for m in found] == [1.0, pytest.approx(math.log(3)), 0.0]
    assert [m.higher_is_better for m in found] == [True, False, True]
    for metric in found:
        assert metric.ci95 is not None
        assert metric.ci95[0] < metric.value < metric.ci95[1]


@pytest.mark.parametrize("figure", FIGURES)
def test_an_interval_holds_its_figure_where_all_draws_fall_short_of_it(figure: object) -> None:
    # Ten clips of ten classes: drawn with replacement, some class is always absent.
    assert callable(figure)
    p = torch.eye(10).repeat(2, 1)
    metric = figure(p, generator=seed())
    assert metric.ci95[0] <= metric.value <= metric.ci95[1]
    assert metric.ci95[0] >= 0
    assert metric.ci95[1] <= (10 if figure is inception_score else math.log(10)) + 1e-9


@pytest.mark.parametrize("figure", FIGURES)
def test_bad_input_is_refused(figure: object) -> None:
    assert callable(figure)
    with pytest.raises(InputError, match=r"shape \(3,\); allowed: \(N, C\)"):
        figure(torch.ones(3), generator=seed())
    with pytest.raises(InputError, match="sum to 1"):
        figure(torch.ones(3, 2), generator=seed())
    with pytest.raises(InputError, match="sum to 1"):
        figure(torch.tensor([[1.5, -0.5]]), generator=seed())


def test_classes_are_balanced_by_the_first_of_each() -> None:
    truth = torch.tensor([0, 0, 2, 0, 2, 5, 0, 5])
    assert balanced(truth).tolist() == [0, 1, 2, 4, 5, 7]  # two of each that occur; 1, 3 and 4 are absent
    assert balanced(torch.tensor([3, 3])).tolist() == [0, 1]
    with pytest.raises(InputError, match=r"allowed: \(N,\) with N ≥ 1"):
        balanced(torch.zeros(0))
