"""MSE: reconstruction error in natural units."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.core.sequences import Sequences

__all__ = ["clip_errors", "entry_weights", "mean_squared_error"]


def entry_weights(batch: Sequences) -> Tensor:
    """1.0 where an entry was measured in a step that exists, shaped like ``x``."""
    seen = torch.ones_like(batch.x, dtype=torch.float64)
    if batch.observed is not None:
        seen = seen * batch.observed
    if batch.mask is not None:
        seen = seen * batch.mask.view(*batch.mask.shape, *(1,) * (batch.x.ndim - 2))
    return seen


def clip_errors(batch: Sequences, guess: Tensor) -> Tensor:
    """Mean squared error of every clip over its measured entries, ``(B,)``; NaN where it has none.

    Args:
        batch: Sequences that are the truth.
        guess: ``(B, V, *frame)``, or anything that broadcasts to it.
    """
    seen = entry_weights(batch)
    squares = (batch.x.double() - guess.double().cpu()).square() * seen
    return squares.flatten(1).sum(1) / seen.flatten(1).sum(1)


def mean_squared_error(errors: Tensor, baseline: Tensor, *, generator: torch.Generator) -> Estimate:
    """``MSE = E_clips[mean (x − x̂)²]`` (DiffSDA, Tab. 3), with a bootstrap over clips.

    Args:
        errors: Error of every clip, ``(N,)``; NaN where it has no measured entry.
        baseline: Errors of a trivial guess, ``(N,)``; their mean is the chance level.
        generator: Random generator of the bootstrap.

    Raises:
        InputError: No clip has a measured entry.
    """
    measured = ~errors.isnan()
    if not bool(measured.any()):
        raise InputError(f"reconstruction: none of {len(errors)} test clips has a measured entry")
    return Estimate(
        unit="natural²",
        value=errors[measured].mean().item(),
        chance=baseline[measured].mean().item(),
        ci95=bootstrap_mean(errors[measured], generator=generator),
        n=int(measured.sum()),
        direction="lower",
    )
