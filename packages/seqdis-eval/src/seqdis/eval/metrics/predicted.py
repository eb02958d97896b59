"""What a metric of predicted classes or numbers needs of them."""

from __future__ import annotations

from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["check_predicted"]


def check_predicted(predicted: Tensor, truth: Tensor, train_truth: Tensor) -> None:
    """Predictions and labels ``(N,)``, and labels of the training split ``(M,)``; N, M ≥ 1.

    Raises:
        InputError: They are not.
    """
    if predicted.shape != truth.shape or truth.ndim != 1 or not len(truth) or not len(train_truth):
        raise InputError(
            f"predictions {tuple(predicted.shape)} of labels {tuple(truth.shape)}; both must be (N,), N ≥ 1"
        )
