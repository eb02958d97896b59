"""Accuracy of predicted classes, beside what a constant gets."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean, wilson
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.predicted import check_predicted

__all__ = ["accuracy"]


def accuracy(
    predicted: Tensor,
    truth: Tensor,
    *,
    train_truth: Tensor,
    groups: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Estimate:
    """The share of ``ŷ = y`` (DiffSDA, Tab. 15), in [0, 1]; chance is what the training split's commonest class gets.

    The interval is Wilson's, or a bootstrap over groups.

    Args:
        predicted: ``(N,)``.
        truth: ``(N,)``.
        train_truth: Labels of the training split, ``(M,)``.
        groups: A number ``(N,)`` that cases which are not independent share; each is alone when omitted.
        generator: Random generator of the bootstrap.

    Raises:
        InputError: The sizes differ, or a split is empty.
    """
    check_predicted(predicted, truth, train_truth)
    hits, n = predicted == truth, len(truth)
    chance = float((truth == train_truth.mode().values).double().mean())
    if groups is None:
        return Estimate(
            unit="share", value=int(hits.sum()) / n, chance=chance, ci95=wilson(int(hits.sum()), n), n=n
        )
    interval = bootstrap_mean(
        hits.double(), groups=groups, generator=generator or torch.Generator().manual_seed(0)
    )
    return Estimate(
        unit="share", value=int(hits.sum()) / n, chance=chance, ci95=interval, n=len(groups.unique())
    )
