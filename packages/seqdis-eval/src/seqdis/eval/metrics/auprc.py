"""AUPRC of an outcome, beside what a constant gets."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.binary_scores import measured_area

__all__ = ["area_under_precision_recall"]


def area_under_precision_recall(
    scores: Tensor, truth: Tensor, *, generator: torch.Generator, resamples: int = 200
) -> Estimate:
    """Average precision ``Σ_n (R_n − R_{n−1}) P_n`` over all thresholds (DiffSDA, Tab. 5), in [0, 1].

    Chance is the share of positives, which is what a constant score gets.

    Args:
        scores: Higher for the positive class, ``(N,)``.
        truth: 0 or 1, ``(N,)``.
        generator: Random generator of the bootstrap.
        resamples: Number of draws of the bootstrap.

    Raises:
        InputError: The sizes differ, a score is not finite, or a class is absent.
    """
    return measured_area(
        _average_precision, scores, truth, chance=float(truth.double().mean()), generator=generator,
        resamples=resamples,
    )  # fmt: skip


def _average_precision(positive: Tensor, negative: Tensor) -> Tensor:
    right, wrong = (count.flip(0).cumsum(0) for count in (positive, negative))
    precision = right / (right + wrong).clamp(min=1)
    return (positive.flip(0) * precision).sum() / positive.sum()
