"""Inception score and the two entropies of a judge's predictions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap
from seqdis.core.data.sequence import check_finite
from seqdis.core.errors import InputError
from seqdis.core.results import Metric

__all__ = ["balanced", "inception_score", "inter_entropy", "intra_entropy", "prediction_entropies"]


def _entropy(probabilities: Tensor) -> Tensor:
    return -torch.special.xlogy(probabilities, probabilities).sum(-1)


def intra_entropy(probabilities: Tensor) -> float:
    """``H(y|x) = E_x[−Σ_y p(y|x) ln p(y|x)]`` in nats: low when each clip shows one class clearly."""
    return float(_entropy(_checked(probabilities)).mean())


def inter_entropy(probabilities: Tensor) -> float:
    """``H(y) = −Σ_y p(y) ln p(y)``, ``p(y) = E_x[p(y|x)]``, in nats: high when all classes appear."""
    return float(_entropy(_checked(probabilities).mean(0)))


def inception_score(probabilities: Tensor) -> float:
    """``IS = exp E_x[KL(p(y|x) ‖ p(y))] = exp(H(y) − H(y|x))`` (Salimans et al. 2016), 1 to the number of classes."""
    return float(torch.tensor(inter_entropy(probabilities) - intra_entropy(probabilities)).exp())


def balanced(truth: Tensor) -> Tensor:
    """Indices of equally many clips of each class: the first ``k`` of each, ``k`` being the rarest class's number.

    A class that no clip has is left out, so that it does not empty the others.

    Args:
        truth: Classes of N clips, ``(N,)``.

    Returns:
        In ascending order, ``(k·C,)`` for C classes that occur.

    Raises:
        InputError: There is no clip.
    """
    if truth.ndim != 1 or not len(truth):
        raise InputError(f"classes of shape {tuple(truth.shape)}; allowed: (N,) with N ≥ 1")
    places = [(truth == value).nonzero()[:, 0] for value in truth.unique()]
    rarest = min(len(place) for place in places)
    return torch.cat([place[:rarest] for place in places]).sort().values


def prediction_entropies(
    probabilities: Tensor, *, generator: torch.Generator, resamples: int = 200
) -> dict[str, Metric]:
    """All three with bootstrap intervals over clips, as the Sprites and MUG tables print them.

    Chance of the entropies is that of predictions without information, ``ln C``, and of the score 1.

    Args:
        probabilities: ``p(y|x)`` of N clips, ``(N, C)``, rows that sum to 1. Balance the classes first.
        generator: Of the bootstrap.
        resamples: Of the bootstrap.

    Returns:
        ``inception_score``, ``intra_entropy`` and ``inter_entropy``.

    Raises:
        InputError: The shape is not ``(N, C)``, or a row is no distribution.
    """
    p = _checked(probabilities)
    conditional, uniform = _entropy(p), float(torch.tensor(float(p.shape[1])).log())

    def intra(i: Tensor) -> float:
        return float(conditional[i].mean())

    def inter(i: Tensor) -> float:
        return float(_entropy(p[i].mean(0)))

    def measured(function: Callable[[Tensor], float], chance: float, *, better: bool) -> Metric:
        interval = bootstrap(function, len(p), generator=generator, resamples=resamples)
        value = function(torch.arange(len(p)))
        return Metric(value=value, chance=chance, ci95=interval, n=len(p), higher_is_better=better)

    return {
        "inception_score": measured(lambda i: math.exp(inter(i) - intra(i)), 1.0, better=True),
        "intra_entropy": measured(intra, uniform, better=False),
        "inter_entropy": measured(inter, 0.0, better=True),
    }


def _checked(probabilities: Tensor) -> Tensor:
    if probabilities.ndim != 2 or not len(probabilities):
        raise InputError(f"predictions of shape {tuple(probabilities.shape)}; allowed: (N, C) with N ≥ 1")
    check_finite(probabilities, "predictions")
    p = probabilities.double()
    if bool((p < 0).any()) or not torch.allclose(p.sum(1), torch.ones(len(p), dtype=p.dtype), atol=1e-4):
        raise InputError("predictions must be distributions: rows of numbers ≥ 0 that sum to 1")
    return p
