"""Confidence intervals of what is measured on a finite test split."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["bootstrap", "bootstrap_mean", "wilson"]

_Z95 = 1.959963984540054
"""The standard normal's 97.5% quantile."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95% score interval of a share (Wilson 1927).

    ``(p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)``, with ``p = successes / n``. Unlike the
    bootstrap it keeps a width at 0 and 1: 20 right of 20 do not prove that no clip fails.

    Raises:
        InputError: ``n`` is not positive, or ``successes`` is outside of ``[0, n]``.
    """
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"a share needs n ≥ 1 and 0 ≤ successes ≤ n; got {successes} of {n}")
    p, z2 = successes / n, _Z95**2 / n
    centre = (p + z2 / 2) / (1 + z2)
    half = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n)) / (1 + z2)
    # The exact ends at 0 and 1 lie on the bound; rounding must not move them past it.
    return max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))


def bootstrap_mean(
    values: Tensor, *, generator: torch.Generator, resamples: int = 2000, groups: Tensor | None = None
) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the mean of ``(n,)`` values (Efron 1979).

    Args:
        values: Measured value of every case, ``(n,)``.
        generator: Source of the random draws.
        resamples: Number of draws with replacement.
        groups: Group number of every case, ``(n,)``, the same for cases that are not independent (windows of one
            sequence, stations in one month's weather): whole groups are drawn then. Single cases when omitted.

    Raises:
        InputError: There is no value, or the sizes differ.
    """
    if values.ndim != 1 or not len(values):
        raise InputError(f"a bootstrap needs values of shape (n,) with n ≥ 1; got {tuple(values.shape)}")
    if groups is not None and groups.shape != values.shape:
        raise InputError(
            f"a bootstrap of {len(values)} values needs as many groups; got {tuple(groups.shape)}"
        )
    sums, counts = values.double().cpu(), torch.ones(len(values), dtype=torch.float64)
    if groups is not None:
        member = groups.cpu().unique(return_inverse=True)[1]
        sums, counts = (member.bincount(weights=part) for part in (sums, counts))
    n = len(sums)
    # In parts, so that a large test split does not need resamples × n numbers at once.
    part = max(1, 4_000_000 // n)
    means = []
    for done in range(0, resamples, part):
        drawn = torch.randint(n, (min(part, resamples - done), n), generator=generator)
        means.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    low, high = torch.quantile(torch.cat(means), torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def bootstrap(
    statistic: Callable[[Tensor], float],
    n: int,
    *,
    generator: torch.Generator,
    resamples: int = 200,
    centre: float | None = None,
) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of any figure of ``n`` independent cases (Efron 1979).

    Some figures are raised or lowered by resampling itself, as it leaves fewer different cases: distances of
    distributions, mutual information. Given ``centre``, the figure of all cases, the draws are shifted so that
    their mean is that: their spread counts, their offset does not.

    Args:
        statistic: Function that gives the figure for indices ``(n,)`` into the cases, drawn with replacement. Where
            it gives NaN, because a draw cannot be measured (a class is absent), that draw is left out.
        n: Number of cases.
        generator: Source of the random draws.
        resamples: Number of draws with replacement.
        centre: The figure of all cases, to which the mean of the draws is shifted; no shift when omitted.

    Raises:
        InputError: There is no case, or no draw could be measured.
    """
    if n < 1 or resamples < 1:
        raise InputError(f"a bootstrap needs n ≥ 1 and resamples ≥ 1; got {n} and {resamples}")
    values = torch.tensor(
        [statistic(torch.randint(n, (n,), generator=generator)) for _ in range(resamples)],
        dtype=torch.float64,
    )
    values = values[~values.isnan()]
    if not len(values):
        raise InputError(f"a bootstrap of {n} cases: none of {resamples} draws could be measured")
    if centre is not None:
        values += centre - values.mean()
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high
