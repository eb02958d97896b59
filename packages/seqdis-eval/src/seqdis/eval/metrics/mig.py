"""MIG: is a label in one entry of a code?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.codes import Array, Codes, bounded_interval, checked, entropy

__all__ = ["mutual_information_gap"]


def mutual_information_gap(
    codes: Tensor, labels: Mapping[str, Tensor], *, bins: int = 20, resamples: int = 100, seed: int = 0
) -> Estimate:
    """``MIG = E_l[(I(c_1st; l) − I(c_2nd; l)) / H(l)]`` (Chen et al. 2018), in [0, 1].

    The interval is a bootstrap over sequences, centred on the figure: resampling raises what entries seem to say.

    Args:
        codes: ``(N, F)``: a static factor, or a dynamic one flattened.
        labels: Classes, each ``(N,)``; a label with one class only is left out.
        bins: Each entry is cut into so many bins of equal width, as is usual.
        resamples: Number of draws of the bootstrap; 0 for none.
        seed: Seed of the bootstrap.

    Raises:
        InputError: The sizes differ, there are fewer than two entries, or no label varies.
    """
    x, truth = checked(codes, labels)
    low, high = x.min(0), x.max(0)
    cut = np.minimum(((x - low) / np.maximum(high - low, 1e-12) * bins).astype(np.int64), bins - 1)
    cells_of = [(cut * (label.max() + 1) + label[:, None], int(label.max()) + 1) for label in truth.values()]

    def gap(rows: Tensor | None) -> float:
        weights = (
            np.ones(len(x)) if rows is None else np.bincount(rows.numpy(), minlength=len(x)).astype(float)
        )
        return float(np.mean([_gap(cell, weights, bins, classes) for cell, classes in cells_of]))

    value = gap(None)
    return Estimate(
        unit="share",
        value=value,
        ci95=bounded_interval(gap, value, len(x), resamples, seed, centred=True),
        n=len(x),
    )


def _gap(cell: Codes, weights: Array, bins: int, classes: int) -> float:
    """The gap of one label; ``cell (N, F)`` is each entry's bin and the label in one number."""
    entries, cells = cell.shape[1], bins * classes
    flat = (cell + np.arange(entries) * cells).ravel()
    counts = np.bincount(flat, np.repeat(weights, entries), minlength=entries * cells)
    table = counts.reshape(entries, bins, classes) / weights.sum()
    whole = table[0].sum(0)
    # I(c; l) = H(c) + H(l) − H(c, l)
    shared = np.sort(entropy(table.sum(2)) + entropy(whole) - entropy(table.reshape(entries, cells)))
    return float((shared[-1] - shared[-2]) / max(float(entropy(whole)), 1e-12))
