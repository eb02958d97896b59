"""IS: whether clips are both clear and diverse."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.predictions import checked_predictions, entropies, measured_predictions

__all__ = ["inception_score"]


def inception_score(probabilities: Tensor, *, generator: torch.Generator, resamples: int = 200) -> Estimate:
    """``IS = exp E_x[KL(p(y|x) ‖ p(y))] = exp(H(y) − H(y|x))`` (Salimans et al. 2016), in [1, C].

    Chance is 1.

    Args:
        probabilities: ``p(y|x)`` of N clips, ``(N, C)``, rows that sum to 1. Balance the classes first.
        generator: Random generator of the bootstrap over clips, centred on the figure.
        resamples: Number of draws of the bootstrap.

    Raises:
        InputError: The shape is not ``(N, C)``, or a row is no distribution.
    """
    p = checked_predictions(probabilities)
    return measured_predictions(
        lambda some: math.exp(float(entropies(some.mean(0)) - entropies(some).mean())), p, chance=1.0,
        generator=generator, resamples=resamples, unit="score", direction="higher", least=1.0, most=float(p.shape[1]),
    )  # fmt: skip
