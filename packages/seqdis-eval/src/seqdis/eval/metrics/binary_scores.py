"""The common part of the areas under both curves: they depend on how many of each class have each score alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.metric import Estimate

__all__ = ["measured_area"]


def measured_area(
    area: Callable[[Tensor, Tensor], Tensor],
    scores: Tensor,
    truth: Tensor,
    *,
    chance: float,
    generator: torch.Generator,
    resamples: int,
) -> Estimate:
    """An area with its bootstrap interval over cases; draws of one class alone are left out.

    Args:
        area: Function of the numbers of positives and of negatives with each score, scores ascending, ``(K,)`` each.
        scores: Higher for the positive class, ``(N,)``.
        truth: 0 or 1, ``(N,)``.
        chance: Value that a constant answer gets.
        generator: Random generator of the bootstrap.
        resamples: Number of draws of the bootstrap.

    Raises:
        InputError: The sizes differ, a score is not finite, or a class is absent.
    """
    if scores.shape != truth.shape or scores.ndim != 1 or not len(scores):
        raise InputError(
            f"scores {tuple(scores.shape)} of labels {tuple(truth.shape)}; both must be (N,), N ≥ 1"
        )
    check_finite(scores, "scores")
    if set(truth.unique().tolist()) != {0, 1}:
        raise InputError(f"labels must be 0 and 1, both present; got {sorted(set(truth.tolist()))[:5]}")
    # No draw is sorted anew.
    values, inverse = scores.unique(return_inverse=True)
    is_positive = truth == 1

    def of(index: Tensor) -> float:
        at, chosen = inverse[index], is_positive[index]
        if chosen.all() or not chosen.any():
            return float("nan")  # one class alone was drawn
        counts = (at[kept].bincount(minlength=len(values)).double() for kept in (chosen, ~chosen))
        return float(area(*counts))

    return Estimate(
        unit="share",
        value=of(torch.arange(len(truth))),
        chance=chance,
        ci95=bootstrap(of, len(truth), generator=generator, resamples=resamples),
        n=len(truth),
    )
