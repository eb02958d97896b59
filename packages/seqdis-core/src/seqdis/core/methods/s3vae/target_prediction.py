"""The target that is predicted from a factor at each step (Sec. 4.2), from the dynamic one or, reversed, from the static."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdis.core.errors import InputError
from seqdis.core.methods.s3vae.config import PredictionConfig
from seqdis.core.sequences import Sequences

__all__ = ["prediction_loss", "target_predictor"]


def target_predictor(prediction: PredictionConfig | None, inputs: int) -> nn.Module | None:
    """Two layers from a factor to the target; None without a target."""
    if prediction is None:
        return None
    return nn.Sequential(
        nn.Linear(inputs, prediction.hidden), nn.ReLU(), nn.Linear(prediction.hidden, prediction.width)
    )


def prediction_loss(p: PredictionConfig, predicted: Tensor, sequences: Sequences) -> Tensor:
    """The loss of a prediction of the target, a mean over existing steps, ``(B,)``.

    Args:
        p: The target and its loss.
        predicted: The prediction of each step, ``(B, V, width)``.
        sequences: Sequences that have the target.

    Raises:
        InputError: The batch lacks the target, or it is of another width.
    """
    if p.target not in sequences.targets:
        known = ", ".join(sequences.targets) or "none"
        raise InputError(f"s3vae predicts the target {p.target!r}; the batch has: {known}")
    wanted = sequences.targets[p.target]
    if wanted.shape != predicted.shape:
        raise InputError(
            f"target {p.target!r}: shape {tuple(wanted.shape)}; model.prediction.width says {tuple(predicted.shape)}"
        )
    if sequences.mask is not None:  # whatever stands in padding
        wanted = torch.where(sequences.mask[..., None], wanted, 0)
    if p.loss == "cross_entropy":
        # A step without motion has no cell: its row is 0, and so is its loss.
        losses = -(wanted * predicted.log_softmax(dim=2)).sum(2)
    elif p.loss == "binary":
        losses = functional.binary_cross_entropy_with_logits(predicted, wanted, reduction="none").mean(2)
    else:
        losses = functional.mse_loss(predicted, wanted, reduction="none").mean(2)
    if sequences.mask is None:
        return losses.mean(1)
    return (losses * sequences.mask).sum(1) / sequences.mask.sum(1).clamp(min=1)
