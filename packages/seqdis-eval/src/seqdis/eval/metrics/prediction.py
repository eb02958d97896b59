"""AUPRC, AUROC, MAE and accuracy of downstream predictions, each beside what a constant gets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap, bootstrap_mean, wilson
from seqdis.core.data.sequence import check_finite
from seqdis.core.errors import InputError
from seqdis.core.results import Metric

__all__ = ["accuracy", "area_under_precision_recall", "area_under_roc", "mean_absolute_error"]


def area_under_precision_recall(
    scores: Tensor, truth: Tensor, *, generator: torch.Generator, resamples: int = 200
) -> Metric:
    """Average precision ``Σ_n (R_n − R_{n−1}) P_n``; chance is the share of positives.

    Args:
        scores: Higher for the positive class, ``(N,)``.
        truth: 0 or 1, ``(N,)``.
        generator: Of the bootstrap.
        resamples: Of the bootstrap.

    Raises:
        InputError: The sizes differ, a score is not finite, or a class is absent.
    """
    _check_binary(scores, truth)
    return _measured(_average_precision, scores, truth, float(truth.double().mean()), generator, resamples)


def area_under_roc(
    scores: Tensor, truth: Tensor, *, generator: torch.Generator, resamples: int = 200
) -> Metric:
    """``P(score of a positive > score of a negative)``, ties counting half; chance is 0.5.

    Arguments and errors are those of :func:`area_under_precision_recall`.
    """
    _check_binary(scores, truth)
    return _measured(_pairs_in_order, scores, truth, 0.5, generator, resamples)


def accuracy(predicted: Tensor, truth: Tensor, *, train_truth: Tensor) -> Metric:
    """The share of ``ŷ = y``, with Wilson's interval; chance is what the training split's commonest class gets.

    Args:
        predicted: ``(N,)``.
        truth: ``(N,)``.
        train_truth: Labels of the training split, ``(M,)``.

    Raises:
        InputError: The sizes differ, or a split is empty.
    """
    _check_sizes(predicted, truth, train_truth)
    right, n = int((predicted == truth).sum()), len(truth)
    commonest = train_truth.mode().values
    chance = float((truth == commonest).double().mean())
    return Metric(value=right / n, chance=chance, ci95=wilson(right, n), n=n)


def mean_absolute_error(
    predicted: Tensor,
    truth: Tensor,
    *,
    train_truth: Tensor,
    generator: torch.Generator,
    groups: Tensor | None = None,
) -> Metric:
    """``E|ŷ − y|`` in the label's units; chance is the error of the training split's median.

    Args:
        predicted: ``(N,)``.
        truth: ``(N,)``.
        train_truth: Labels of the training split, ``(M,)``.
        generator: Of the bootstrap.
        groups: A number ``(N,)`` that cases of one sequence share: the bootstrap then draws whole groups, for
            windows of one sequence err together. Each case is alone when omitted.

    Raises:
        InputError: The sizes differ, or a value is not finite.
    """
    _check_sizes(predicted, truth, train_truth)
    for name, value in (("predictions", predicted), ("labels", truth), ("training labels", train_truth)):
        check_finite(value, name)
    errors = (predicted.double() - truth.double()).abs()
    constant = torch.quantile(train_truth.double(), 0.5)
    if groups is None:
        interval, n = bootstrap_mean(errors, generator=generator), len(errors)
    else:
        numbers, member = groups.unique(return_inverse=True)
        n = len(numbers)
        total, count = (member.bincount(w, minlength=n).double() for w in (errors, torch.ones_like(errors)))
        interval = bootstrap(lambda i: float(total[i].sum() / count[i].sum()), n, generator=generator)
    return Metric(
        value=float(errors.mean()),
        chance=float((constant - truth.double()).abs().mean()),
        ci95=interval,
        n=n,
        higher_is_better=False,
    )


def _check_sizes(predicted: Tensor, truth: Tensor, train_truth: Tensor) -> None:
    if predicted.shape != truth.shape or truth.ndim != 1 or not len(truth) or not len(train_truth):
        raise InputError(
            f"predictions {tuple(predicted.shape)} of labels {tuple(truth.shape)}; both must be (N,), N ≥ 1"
        )


def _check_binary(scores: Tensor, truth: Tensor) -> None:
    if scores.shape != truth.shape or scores.ndim != 1 or not len(scores):
        raise InputError(
            f"scores {tuple(scores.shape)} of labels {tuple(truth.shape)}; both must be (N,), N ≥ 1"
        )
    check_finite(scores, "scores")
    if set(truth.unique().tolist()) != {0, 1}:
        raise InputError(f"labels must be 0 and 1, both present; got {sorted(set(truth.tolist()))[:5]}")


def _average_precision(positive: Tensor, negative: Tensor) -> Tensor:
    right, wrong = (count.flip(0).cumsum(0) for count in (positive, negative))
    precision = right / (right + wrong).clamp(min=1)
    return (positive.flip(0) * precision).sum() / positive.sum()


def _pairs_in_order(positive: Tensor, negative: Tensor) -> Tensor:
    below = negative.cumsum(0) - negative / 2
    return (positive * below).sum() / (positive.sum() * negative.sum())


def _measured(
    area: Callable[[Tensor, Tensor], Tensor],
    scores: Tensor,
    truth: Tensor,
    chance: float,
    generator: torch.Generator,
    resamples: int,
) -> Metric:
    # Both areas depend on how many of each class have each score alone: no draw is sorted anew.
    values, place = scores.unique(return_inverse=True)
    is_positive = truth == 1

    def of(index: Tensor) -> float:
        at, chosen = place[index], is_positive[index]
        if chosen.all() or not chosen.any():
            return float("nan")  # one class alone was drawn
        counts = (at[kept].bincount(minlength=len(values)).double() for kept in (chosen, ~chosen))
        return float(area(*counts))

    return Metric(
        value=of(torch.arange(len(truth))),
        chance=chance,
        ci95=bootstrap(of, len(truth), generator=generator, resamples=resamples),
        n=len(truth),
    )
