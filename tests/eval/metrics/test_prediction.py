from __future__ import annotations

import itertools

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.prediction import area_under_precision_recall, area_under_roc, mean_absolute_error


def seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def case() -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(1)
    truth = (torch.rand(120, generator=g) < 0.3).long()
    return (truth + torch.randn(120, generator=g)).round(decimals=1), truth  # with ties


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    scores, truth = case()
    pairs = list(itertools.product(scores[truth == 1].tolist(), scores[truth == 0].tolist()))
    expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    metric = area_under_roc(scores, truth, generator=seed())
    assert metric.value == pytest.approx(expected)
    assert metric.chance == 0.5
    assert metric.ci95 is not None
    assert metric.ci95[0] < expected < metric.ci95[1]


def test_auprc_is_the_sum_of_its_definition() -> None:
    scores, truth = case()
    area, recall = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = truth[scores >= threshold]
        now = float(chosen.sum() / truth.sum())
        area, recall = area + (now - recall) * float(chosen.double().mean()), now
    metric = area_under_precision_recall(scores, truth, generator=seed())
    assert metric.value == pytest.approx(area)
    assert metric.chance == pytest.approx(float(truth.double().mean()))


def test_mae_stands_beside_the_median() -> None:
    train = torch.tensor([1.0, 2.0, 30.0])
    truth, predicted = torch.tensor([0.0, 4.0]), torch.tensor([1.0, 1.0])
    metric = mean_absolute_error(predicted, truth, train_truth=train, generator=seed())
    assert metric.value == 2
    assert metric.chance == 2  # |2 − 0| and |2 − 4|
    assert not metric.higher_is_better


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"0 and 1, both present; got \[1.0\]"):
        area_under_roc(torch.zeros(3), torch.ones(3), generator=seed())
    with pytest.raises(InputError, match=r"must be \(N,\)"):
        area_under_precision_recall(torch.zeros(3), torch.ones(4), generator=seed())
    with pytest.raises(InputError, match="NaN"):
        mean_absolute_error(
            torch.tensor([float("nan")]), torch.zeros(1), train_truth=torch.zeros(1), generator=seed()
        )
