"""MAE of a predicted number, beside that of the training median."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.finite import check_finite
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.predicted import check_predicted

__all__ = ["mean_absolute_error"]


def mean_absolute_error(
    predicted: Tensor,
    truth: Tensor,
    *,
    train_truth: Tensor,
    generator: torch.Generator,
    groups: Tensor | None = None,
    unit: str = "",
) -> Estimate:
    """``MAE = E|ŷ − y|`` in the label's units (DiffSDA, Tab. 5 and 14); chance is the error of the training median.

    Args:
        predicted: ``(N,)``.
        truth: ``(N,)``.
        train_truth: Labels of the training split, ``(M,)``.
        generator: Random generator of the bootstrap.
        groups: A number ``(N,)`` that windows of one sequence share, for they err together: the bootstrap then draws
            whole groups. Each case is alone when omitted.
        unit: Unit of the labels.

    Raises:
        InputError: The sizes differ, or a value is not finite.
    """
    check_predicted(predicted, truth, train_truth)
    for name, value in (("predictions", predicted), ("labels", truth), ("training labels", train_truth)):
        check_finite(value, name)
    errors = (predicted.double() - truth.double()).abs()
    constant = torch.quantile(train_truth.double(), 0.5)
    return Estimate(
        unit=unit,
        value=float(errors.mean()),
        chance=float((constant - truth.double()).abs().mean()),
        ci95=bootstrap_mean(errors, generator=generator, groups=groups),
        n=len(errors) if groups is None else len(groups.unique()),
        direction="lower",
    )
