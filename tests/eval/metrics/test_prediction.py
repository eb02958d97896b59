from __future__ import annotations

import itertools

import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from seqdis.core.analysis import wilson
from seqdis.core.errors import InputError
from seqdis.eval.metrics.absolute_error import mean_absolute_error
from seqdis.eval.metrics.accuracy import accuracy
from seqdis.eval.metrics.auprc import area_under_precision_recall
from seqdis.eval.metrics.auroc import area_under_roc


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


@pytest.mark.parametrize("ties", [False, True])
def test_both_areas_are_those_of_scikit_learn(ties: bool) -> None:
    scores, truth = case()
    scores = scores if ties else torch.randn(120, generator=torch.Generator().manual_seed(2))
    for ours, theirs in (
        (area_under_roc, roc_auc_score), (area_under_precision_recall, average_precision_score)
    ):  # fmt: skip
        assert ours(scores, truth, generator=seed()).value == pytest.approx(theirs(truth, scores))


def test_one_score_for_all_is_chance() -> None:
    _, truth = case()
    constant = torch.full((120,), 0.3)
    assert area_under_roc(constant, truth, generator=seed()).value == 0.5
    metric = area_under_precision_recall(constant, truth, generator=seed())
    assert metric.value == pytest.approx(metric.chance)


def test_mae_stands_beside_the_median() -> None:
    train = torch.tensor([1.0, 2.0, 30.0])
    truth, predicted = torch.tensor([0.0, 4.0]), torch.tensor([1.0, 1.0])
    metric = mean_absolute_error(predicted, truth, train_truth=train, generator=seed())
    assert metric.value == 2
    assert metric.chance == 2  # |2 − 0| and |2 − 4|
    assert not metric.higher_is_better


def test_the_interval_of_windows_draws_whole_sequences() -> None:
    # Two errors, each a hundred times within one sequence: there are two cases, not two hundred.
    predicted, truth = torch.zeros(200), torch.tensor([1.0, 3.0]).repeat_interleave(100)
    groups = torch.arange(2).repeat_interleave(100)
    alone = mean_absolute_error(predicted, truth, train_truth=truth, generator=seed())
    whole = mean_absolute_error(predicted, truth, train_truth=truth, generator=seed(), groups=groups)
    assert (alone.value, whole.value) == (2, 2)
    assert (alone.n, whole.n) == (200, 2)
    assert alone.ci95 is not None
    assert alone.ci95[1] - alone.ci95[0] < 0.4
    assert whole.ci95 == (1, 3)


def test_accuracy_of_cases_under_one_weather_draws_whole_groups() -> None:
    truth = torch.zeros(120, dtype=torch.long)
    predicted = (
        torch.arange(12).repeat_interleave(10) % 2
    )  # right in every other month, at all its ten stations
    alone = accuracy(predicted, truth, train_truth=truth)
    grouped = accuracy(predicted, truth, train_truth=truth, groups=torch.arange(12).repeat_interleave(10))
    assert (alone.value, grouped.value) == (0.5, 0.5)
    assert (alone.n, grouped.n) == (120, 12)
    assert alone.ci95 is not None
    assert grouped.ci95 is not None
    assert grouped.ci95[1] - grouped.ci95[0] > 2.5 * (alone.ci95[1] - alone.ci95[0])


@pytest.mark.parametrize("area", [area_under_roc, area_under_precision_recall])
def test_the_best_and_the_worst_order(area: object) -> None:
    assert callable(area)
    truth = torch.tensor([1] * 30 + [0] * 70)
    best = area(truth.float(), truth, generator=seed())
    worst = area(-truth.float(), truth, generator=seed())
    assert best.value == 1
    assert best.ci95 == (1, 1)
    assert worst.value == (0 if area is area_under_roc else 0.3)  # one threshold takes all: precision 0.3
    for labels in (torch.ones(5), torch.zeros(5)):
        with pytest.raises(InputError, match="both present"):
            area(torch.rand(5), labels, generator=seed())


def test_accuracy_stands_beside_the_commonest_training_class() -> None:
    truth = torch.tensor([0, 0, 0, 1, 2])
    metric = accuracy(torch.tensor([0, 1, 0, 1, 0]), truth, train_truth=torch.tensor([1, 1, 0]))
    assert (metric.value, metric.chance, metric.n) == (0.6, 0.2, 5)
    assert metric.ci95 == wilson(3, 5)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"0 and 1, both present; got \[1.0\]"):
        area_under_roc(torch.zeros(3), torch.ones(3), generator=seed())
    with pytest.raises(InputError, match=r"must be \(N,\)"):
        area_under_precision_recall(torch.zeros(3), torch.ones(4), generator=seed())
    with pytest.raises(InputError, match="NaN"):
        mean_absolute_error(
            torch.tensor([float("nan")]), torch.zeros(1), train_truth=torch.zeros(1), generator=seed()
        )
