"""H(y): whether all classes appear."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.predictions import checked_predictions, entropies, measured_predictions

__all__ = ["inter_entropy"]


def inter_entropy(probabilities: Tensor, *, generator: torch.Generator, resamples: int = 200) -> Estimate:
    """``H(y) = −Σ_y p(y) ln p(y)``, ``p(y) = E_x[p(y|x)]``, in nats (S3VAE, Tab. 1): high when all classes appear.

    Chance is 0, of one clip over and over.

    Args:
        probabilities: ``p(y|x)`` of N clips, ``(N, C)``, rows that sum to 1. Balance the classes first.
        generator: Random generator of the bootstrap over clips, centred on the figure.
        resamples: Number of draws of the bootstrap.

    Raises:
        InputError: The shape is not ``(N, C)``, or a row is no distribution.
    """
    p = checked_predictions(probabilities)
    return measured_predictions(
        lambda some: float(entropies(some.mean(0))), p, chance=0.0, generator=generator,
        resamples=resamples, unit="nats", direction="higher", least=0.0, most=math.log(p.shape[1]),
    )  # fmt: skip
