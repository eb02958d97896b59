"""H(y|x): how sure a judge is of each clip."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.predictions import checked_predictions, entropies, measured_predictions

__all__ = ["intra_entropy"]


def intra_entropy(probabilities: Tensor, *, generator: torch.Generator, resamples: int = 200) -> Estimate:
    """``H(y|x) = E_x[−Σ_y p(y|x) ln p(y|x)]`` in nats (S3VAE, Tab. 1): low when each clip shows one class clearly.

    Chance is ``ln C``, of predictions without information.

    Args:
        probabilities: ``p(y|x)`` of N clips, ``(N, C)``, rows that sum to 1. Balance the classes first.
        generator: Random generator of the bootstrap over clips, centred on the figure.
        resamples: Number of draws of the bootstrap.

    Raises:
        InputError: The shape is not ``(N, C)``, or a row is no distribution.
    """
    p = checked_predictions(probabilities)
    uniform = math.log(p.shape[1])
    return measured_predictions(
        lambda some: float(entropies(some).mean()), p, chance=uniform, generator=generator,
        resamples=resamples, unit="nats", direction="lower", least=0.0, most=uniform,
    )  # fmt: skip
