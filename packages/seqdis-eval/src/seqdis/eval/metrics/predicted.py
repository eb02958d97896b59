"""Checks of predicted classes and numbers, as metrics need them."""

from __future__ import annotations

from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["check_predicted"]


def check_predicted(predicted: Tensor, truth: Tensor, train_truth: Tensor) -> None:
    """Check predictions and labels ``(N,)``, and labels of the training split ``(M,)``; N, M ≥ 1.

    Raises:
        InputError: The shapes differ, or one of them is empty.
    """
    if predicted.shape != truth.shape or truth.ndim != 1 or not len(truth) or not len(train_truth):
        raise InputError(
            f"predictions {tuple(predicted.shape)} of labels {tuple(truth.shape)}; both must be (N,), N ≥ 1"
        )
