"""DCI: disentanglement, completeness and informativeness of a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.codes import Array, agree, bounded_interval, checked, entropy

__all__ = ["dci"]


def dci(
    train_codes: Tensor,
    train_labels: Mapping[str, Tensor],
    codes: Tensor,
    labels: Mapping[str, Tensor],
    *,
    trees: int = 50,
    resamples: int = 100,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Disentanglement, completeness and informativeness (Eastwood & Williams 2018), each in [0, 1].

    ``R (F, L)`` holds the importance of every entry for every label, from random forests that look
    at all entries in every split, one of the paper's two kinds of
    model. *Disentanglement*: ``Σ_i ρ_i (1 − H(R_i / ΣR_i) / ln L)``, ``ρ_i`` the share of all importance that
    entry i has: does an entry serve one label? *Completeness*: ``E_l[1 − H(R_l / ΣR_l) / ln F]``: is a label
    in one entry? 0 for a label of which no entry says anything. *Informativeness*: the forests' mean test accuracy.

    Each tree has learnt from a bootstrap sample of its own; the intervals of the first two resample the trees, centred
    on the figure, and that of the last the test sequences.

    Args:
        train_codes: ``(N, F)``, what the trees learn from.
        train_labels: Each ``(N,)``; at least two.
        codes: ``(M, F)``, what they are judged on.
        labels: Each ``(M,)``.
        trees: Number of trees of each forest.
        resamples: Number of draws of the bootstrap; 0 for none.
        seed: Seed of the forests and the bootstrap.

    Raises:
        InputError: See :func:`~seqdis.eval.metrics.sap.separated_attribute_predictability`; or there are fewer than two labels.
    """
    from sklearn.ensemble import RandomForestClassifier

    known, known_truth = checked(train_codes, train_labels)
    x, truth = checked(codes, labels)
    agree(known, x, train_labels, labels)
    names = sorted(known_truth.keys() & truth.keys())
    if len(names) < 2:
        raise InputError(f"DCI compares labels: at least 2 that vary are needed; got {names}")
    importance, right = np.empty((trees, known.shape[1], len(names))), np.empty((len(names), len(x)))
    for column, name in enumerate(names):
        forest = RandomForestClassifier(trees, max_features=None, random_state=seed)
        forest.fit(known, known_truth[name])
        importance[..., column] = [tree.feature_importances_ for tree in forest.estimators_]
        right[column] = forest.predict(x) == truth[name]
    figures: dict[str, tuple[Callable[[Tensor | None], float], int, bool]] = {
        "disentanglement": (lambda rows: _disentanglement(_chosen(importance, rows).mean(0)), trees, True),
        "completeness": (lambda rows: _completeness(_chosen(importance, rows).mean(0)), trees, True),
        "informativeness": (lambda rows: float(_chosen(right.T, rows).mean()), len(x), False),
    }
    metrics = {}
    for name, (figure, count, centred) in figures.items():
        value = figure(None)
        interval = bounded_interval(figure, value, count, resamples, seed, centred=centred)
        metrics[name] = Estimate(unit="share", value=value, ci95=interval, n=len(x))
    return metrics


def _chosen(values: Array, rows: Tensor | None) -> Array:
    return values if rows is None else values[rows.numpy()]


def _disentanglement(importance: Array) -> float:
    weight = importance.sum(1) / max(importance.sum(), 1e-12)
    return float((weight * (1 - _row_entropy(importance) / np.log(importance.shape[1]))).sum())


def _completeness(importance: Array) -> float:
    described = importance.sum(0) > 0  # a label of which no entry says anything is in none
    return float((described * (1 - _row_entropy(importance.T) / np.log(importance.shape[0]))).mean())


def _row_entropy(matrix: Array) -> Array:
    return entropy(matrix / np.maximum(matrix.sum(1, keepdims=True), 1e-12))
