"""A judge's predictions as distributions: checked, balanced, and their entropies."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.metric import Direction, Estimate

__all__ = ["balanced", "checked_predictions", "entropies", "measured_predictions"]


def entropies(probabilities: Tensor) -> Tensor:
    """``−Σ_y p ln p`` over the last axis, in nats; a class of probability 0 adds nothing."""
    return -torch.special.xlogy(probabilities, probabilities).sum(-1)


def balanced(truth: Tensor) -> Tensor:
    """Indices of equally many clips of each class: the first ``k`` of each, ``k`` being the rarest class's number.

    A class that no clip has is left out, so that it does not empty the others.

    Args:
        truth: Classes of N clips, ``(N,)``.

    Returns:
        Indices in ascending order, ``(k·C,)`` for C classes that occur.

    Raises:
        InputError: There is no clip.
    """
    if truth.ndim != 1 or not len(truth):
        raise InputError(f"classes of shape {tuple(truth.shape)}; allowed: (N,) with N ≥ 1")
    by_class = [(truth == value).nonzero()[:, 0] for value in truth.unique()]
    rarest = min(len(rows_of_class) for rows_of_class in by_class)
    return torch.cat([rows_of_class[:rarest] for rows_of_class in by_class]).sort().values


def checked_predictions(probabilities: Tensor) -> Tensor:
    """``p(y|x)`` of N clips, ``(N, C)``, in double precision.

    Raises:
        InputError: The shape is not ``(N, C)``, or a row is no distribution.
    """
    if probabilities.ndim != 2 or not len(probabilities):
        raise InputError(f"predictions of shape {tuple(probabilities.shape)}; allowed: (N, C) with N ≥ 1")
    check_finite(probabilities, "predictions")
    p = probabilities.double()
    if bool((p < 0).any()) or not torch.allclose(p.sum(1), torch.ones(len(p), dtype=p.dtype), atol=1e-4):
        raise InputError("predictions must be distributions: rows of numbers ≥ 0 that sum to 1")
    return p


def measured_predictions(
    figure: Callable[[Tensor], float],
    probabilities: Tensor,
    *,
    chance: float,
    generator: torch.Generator,
    resamples: int,
    direction: Direction,
    unit: str,
    least: float,
    most: float,
) -> Estimate:
    """A figure of predictions with its bootstrap interval over clips, which holds it.

    Fewer different clips are less diverse, whoever drew them: the draws are centred on the figure of all clips.

    Args:
        figure: Function of ``p(y|x)``, ``(N, C)``, that gives the figure.
        probabilities: Probabilities, which are checked.
        chance: Chance level of predictions without information.
        generator: Random generator of the bootstrap.
        resamples: Number of draws of the bootstrap.
        direction: Whether higher or lower values are better.
        unit: Unit of the figure.
        least: Lowest possible value of the figure.
        most: Highest possible value of the figure.
    """
    value = figure(probabilities)
    low, high = bootstrap(
        lambda i: figure(probabilities[i]), len(probabilities), generator=generator, resamples=resamples,
        centre=value,
    )  # fmt: skip
    interval = min(value, max(least, low)), max(value, min(most, high))
    return Estimate(
        value=value, chance=chance, ci95=interval, n=len(probabilities), direction=direction, unit=unit
    )
