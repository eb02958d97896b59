"""MIG, SAP and DCI: how single entries of a code line up with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdis.core.analysis import bootstrap
from seqdis.core.data.sequence import check_finite
from seqdis.core.errors import InputError
from seqdis.core.results import Metric

__all__ = ["dci", "mutual_information_gap", "separated_attribute_predictability"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def mutual_information_gap(
    codes: Tensor, labels: Mapping[str, Tensor], *, bins: int = 20, resamples: int = 100, seed: int = 0
) -> Metric:
    """``MIG = E_l[(I(c_1st; l) − I(c_2nd; l)) / H(l)]`` (Chen et al. 2018), in [0, 1].

    The interval is a bootstrap over sequences, centred on the figure: resampling raises what entries seem to say.

    Args:
        codes: ``(N, F)``: a static factor, or a dynamic one flattened.
        labels: Classes, each ``(N,)``; a label with one class only is left out.
        bins: Each entry is cut into so many bins of equal width, as is usual.
        resamples: Of the bootstrap; 0 for none.
        seed: Of the bootstrap.

    Raises:
        InputError: The sizes differ, there are fewer than two entries, or no label varies.
    """
    x, truth = _checked(codes, labels)
    low, high = x.min(0), x.max(0)
    cut = np.minimum(((x - low) / np.maximum(high - low, 1e-12) * bins).astype(np.int64), bins - 1)
    places = [(cut * (label.max() + 1) + label[:, None], int(label.max()) + 1) for label in truth.values()]

    def gap(rows: Tensor | None) -> float:
        weights = (
            np.ones(len(x)) if rows is None else np.bincount(rows.numpy(), minlength=len(x)).astype(float)
        )
        return float(np.mean([_gap(place, weights, bins, classes) for place, classes in places]))

    value = gap(None)
    return Metric(value=value, ci95=_interval(gap, value, len(x), resamples, seed, centred=True), n=len(x))


def _gap(place: Codes, weights: Array, bins: int, classes: int) -> float:
    """Of one label; ``place (N, F)`` is each entry's bin and the label in one number."""
    entries, cells = place.shape[1], bins * classes
    flat = (place + np.arange(entries) * cells).ravel()
    counts = np.bincount(flat, np.repeat(weights, entries), minlength=entries * cells)
    table = counts.reshape(entries, bins, classes) / weights.sum()
    whole = table[0].sum(0)
    # I(c; l) = H(c) + H(l) − H(c, l)
    shared = np.sort(_entropy(table.sum(2)) + _entropy(whole) - _entropy(table.reshape(entries, cells)))
    return float((shared[-1] - shared[-2]) / max(float(_entropy(whole)), 1e-12))


def _entropy(p: Array) -> Array:
    """``−Σ p ln p`` over the last axis, in nats."""
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(-1))


def _interval(
    figure: Callable[[Tensor], float],
    value: float,
    n: int,
    resamples: int,
    seed: int,
    *,
    centred: bool = False,
) -> tuple[float, float] | None:
    if not resamples:
        return None
    generator = torch.Generator().manual_seed(seed)
    low, high = bootstrap(
        figure, n, generator=generator, resamples=resamples, centre=value if centred else None
    )
    return max(0.0, min(low, value)), min(1.0, max(high, value))


def separated_attribute_predictability(
    train_codes: Tensor,
    train_labels: Mapping[str, Tensor],
    codes: Tensor,
    labels: Mapping[str, Tensor],
    *,
    resamples: int = 100,
    seed: int = 0,
) -> Metric:
    """``SAP = E_l[a_1st − a_2nd]``, ``a`` the test accuracy from one entry alone (Kumar et al. 2018), in [0, 1].

    The accuracy is that of a linear support vector machine on the one, standardised entry. The interval is a bootstrap
    over test sequences.

    Args:
        train_codes: ``(N, F)``, what the classifiers learn from.
        train_labels: Each ``(N,)``.
        codes: ``(M, F)``, what they are judged on.
        labels: Each ``(M,)``.
        resamples: Of the bootstrap; 0 for none.
        seed: Of the bootstrap.

    Raises:
        InputError: See :func:`mutual_information_gap`; or the two sides differ in width or labels.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    known, known_truth = _checked(train_codes, train_labels)
    x, truth = _checked(codes, labels)
    _agree(known, x, train_labels, labels)
    right = np.empty((len(known_truth.keys() & truth.keys()), x.shape[1], len(x)))
    for row, name in enumerate(sorted(known_truth.keys() & truth.keys())):
        for entry in range(x.shape[1]):
            machine = make_pipeline(StandardScaler(), LinearSVC(C=0.01, class_weight="balanced"))
            machine.fit(known[:, entry, None], known_truth[name])
            right[row, entry] = machine.predict(x[:, entry, None]) == truth[name]

    def gap(rows: Tensor | None) -> float:
        shares = np.sort((right if rows is None else right[..., rows.numpy()]).mean(2), axis=1)
        return float((shares[:, -1] - shares[:, -2]).mean())

    value = gap(None)
    return Metric(value=value, ci95=_interval(gap, value, len(x), resamples, seed, centred=True), n=len(x))


def dci(
    train_codes: Tensor,
    train_labels: Mapping[str, Tensor],
    codes: Tensor,
    labels: Mapping[str, Tensor],
    *,
    trees: int = 50,
    resamples: int = 100,
    seed: int = 0,
) -> dict[str, Metric]:
    """Disentanglement, completeness and informativeness (Eastwood & Williams 2018), each in [0, 1].

    ``R (F, L)`` holds the importance of every entry for every label, from random forests that look
    at all entries in every split, one of the paper's two kinds of
    model. *Disentanglement*: ``Σ_i ρ_i (1 − H(R_i / ΣR_i) / ln L)``, ``ρ_i`` the share of all importance that
    entry i has: does an entry serve one label? *Completeness*: ``E_l[1 − H(R_l / ΣR_l) / ln F]``: is a label
    in one entry? *Informativeness*: the forests' mean test accuracy.

    Each tree has learnt from a bootstrap sample of its own; the intervals of the first two resample the trees, centred
    on the figure, and that of the last the test sequences.

    Args:
        train_codes: ``(N, F)``, what the trees learn from.
        train_labels: Each ``(N,)``; at least two.
        codes: ``(M, F)``, what they are judged on.
        labels: Each ``(M,)``.
        trees: Of each forest.
        resamples: Of the bootstrap; 0 for none.
        seed: Of the forests and the bootstrap.

    Raises:
        InputError: See :func:`separated_attribute_predictability`; or there are fewer than two labels.
    """
    from sklearn.ensemble import RandomForestClassifier

    known, known_truth = _checked(train_codes, train_labels)
    x, truth = _checked(codes, labels)
    _agree(known, x, train_labels, labels)
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
        interval = _interval(figure, value, count, resamples, seed, centred=centred)
        metrics[name] = Metric(value=value, ci95=interval, n=len(x))
    return metrics


def _chosen(values: Array, rows: Tensor | None) -> Array:
    return values if rows is None else values[rows.numpy()]


def _disentanglement(importance: Array) -> float:
    weight = importance.sum(1) / max(importance.sum(), 1e-12)
    return float((weight * (1 - _row_entropy(importance) / np.log(importance.shape[1]))).sum())


def _completeness(importance: Array) -> float:
    return float((1 - _row_entropy(importance.T) / np.log(importance.shape[0])).mean())


def _row_entropy(matrix: Array) -> Array:
    return _entropy(matrix / np.maximum(matrix.sum(1, keepdims=True), 1e-12))


def _checked(codes: Tensor, labels: Mapping[str, Tensor]) -> tuple[Array, dict[str, Codes]]:
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


def _agree(known: Array, x: Array, train_labels: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> None:
    if known.shape[1] != x.shape[1] or set(train_labels) != set(labels):
        raise InputError(
            f"train has {known.shape[1]} entries with labels {sorted(train_labels)}, test {x.shape[1]} with "
            f"{sorted(labels)}; they must agree"
        )
