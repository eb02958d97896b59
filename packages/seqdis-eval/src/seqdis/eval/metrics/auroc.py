"""AUROC of an outcome, beside what a constant gets."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.binary_scores import measured_area

__all__ = ["area_under_roc"]


def area_under_roc(
    scores: Tensor, truth: Tensor, *, generator: torch.Generator, resamples: int = 200
) -> Estimate:
    """``P(score of a positive > score of a negative)``, ties counting half (DiffSDA, Tab. 5), in [0, 1]; chance is 0.5.

    Args:
        scores: Higher for the positive class, ``(N,)``.
        truth: 0 or 1, ``(N,)``.
        generator: Random generator of the bootstrap.
        resamples: Number of draws of the bootstrap.

    Raises:
        InputError: The sizes differ, a score is not finite, or a class is absent.
    """
    return measured_area(
        _pairs_in_order, scores, truth, chance=0.5, generator=generator,
        resamples=resamples,
    )  # fmt: skip


def _pairs_in_order(positive: Tensor, negative: Tensor) -> Tensor:
    below = negative.cumsum(0) - negative / 2
    return (positive * below).sum() / (positive.sum() * negative.sum())
