"""The common part of MIG, SAP and DCI: checked codes and labels, an entropy, an interval within [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdis.core.analysis import bootstrap
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite

__all__ = ["Array", "Codes", "agree", "bounded_interval", "checked", "entropy"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def entropy(p: Array) -> Array:
    """``−Σ p ln p`` over the last axis, in nats."""
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(-1))


def bounded_interval(
    figure: Callable[[Tensor], float],
    value: float,
    n: int,
    resamples: int,
    seed: int,
    *,
    centred: bool = False,
) -> tuple[float, float] | None:
    """The bootstrap interval of a figure in [0, 1], which it holds; None without draws.

    Args:
        figure: Function of the drawn cases that gives the figure.
        value: Value of all cases.
        n: Number of cases.
        resamples: Number of draws.
        seed: Seed of the draws.
        centred: See ``centre`` of :func:`~seqdis.core.analysis.bootstrap`.
    """
    if not resamples:
        return None
    generator = torch.Generator().manual_seed(seed)
    low, high = bootstrap(
        figure, n, generator=generator, resamples=resamples, centre=value if centred else None
    )
    return max(0.0, min(low, value)), min(1.0, max(high, value))


def checked(codes: Tensor, labels: Mapping[str, Tensor]) -> tuple[Array, dict[str, Codes]]:
    """Codes ``(N, F)`` as numbers, and each label that varies as classes ``0 … K − 1``.

    Raises:
        InputError: The sizes differ, there are fewer than two entries, or no label varies.
    """
    if (
        codes.ndim != 2
        or codes.shape[1] < 2
        or any(value.shape != codes.shape[:1] for value in labels.values())
    ):
        shapes = {name: tuple(value.shape) for name, value in labels.items()}
        raise InputError(
            f"codes (N, F) with F ≥ 2 and labels (N,) are needed; got {tuple(codes.shape)} and {shapes}"
        )
    check_finite(codes, "codes")
    classes = {name: torch.unique(value, return_inverse=True) for name, value in labels.items()}
    varying = {name: inverse.numpy() for name, (values, inverse) in classes.items() if len(values) > 1}
    if not varying:
        raise InputError(f"no label varies among {sorted(labels) or 'none'}")
    return codes.double().numpy(), varying


def agree(known: Array, x: Array, train_labels: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> None:
    """Check that both splits have the same entries and labels.

    Raises:
        InputError: The splits have other entries or other labels.
    """
    if known.shape[1] != x.shape[1] or set(train_labels) != set(labels):
        raise InputError(
            f"train has {known.shape[1]} entries with labels {sorted(train_labels)}, test {x.shape[1]} with "
            f"{sorted(labels)}; they must agree"
        )
