"""MIG, SAP and DCI: how single entries of a code line up with labels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdis.core.data.sequence import check_finite
from seqdis.core.errors import InputError

__all__ = ["dci", "mutual_information_gap", "separated_attribute_predictability"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def mutual_information_gap(codes: Tensor, labels: Mapping[str, Tensor], *, bins: int = 20) -> float:
    """``MIG = E_l[(I(c_1st; l) − I(c_2nd; l)) / H(l)]`` (Chen et al. 2018), in [0, 1].

    Args:
        codes: ``(N, F)``: a static factor, or a dynamic one flattened.
        labels: Classes, each ``(N,)``; a label with one class only is left out.
        bins: Each entry is cut into so many bins of equal width, as is usual.

    Raises:
        InputError: The sizes differ, there are fewer than two entries, or no label varies.
    """
    x, truth = _checked(codes, labels)
    low, high = x.min(0), x.max(0)
    cut = np.minimum(((x - low) / np.maximum(high - low, 1e-12) * bins).astype(np.int64), bins - 1)
    gaps = []
    for label in truth.values():
        shared = np.sort([_mutual_information(column, label) for column in cut.T])
        gaps.append((shared[-1] - shared[-2]) / _mutual_information(label, label))
    return float(np.mean(gaps))


def _mutual_information(a: Codes, b: Codes) -> float:
    """``Σ p(a, b) ln(p(a, b) / p(a)p(b))`` in nats; that of a variable with itself is its entropy."""
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a, b), 1)
    table /= len(a)
    independent = table.sum(1, keepdims=True) * table.sum(0, keepdims=True)
    there = table > 0
    return float((table[there] * np.log(table[there] / independent[there])).sum())


def separated_attribute_predictability(
    train_codes: Tensor, train_labels: Mapping[str, Tensor], codes: Tensor, labels: Mapping[str, Tensor]
) -> float:
    """``SAP = E_l[a_1st − a_2nd]``, ``a`` the test accuracy from one entry alone (Kumar et al. 2018), in [0, 1].

    The accuracy is that of a linear support vector machine on the one, standardised entry.

    Args:
        train_codes: ``(N, F)``, what the classifiers learn from.
        train_labels: Each ``(N,)``.
        codes: ``(M, F)``, what they are judged on.
        labels: Each ``(M,)``.

    Raises:
        InputError: See :func:`mutual_information_gap`; or the two sides differ in width or labels.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    known, known_truth = _checked(train_codes, train_labels)
    x, truth = _checked(codes, labels)
    _agree(known, x, train_labels, labels)
    gaps = []
    for name in known_truth.keys() & truth.keys():
        accuracies = []
        for entry in range(x.shape[1]):
            machine = make_pipeline(StandardScaler(), LinearSVC(C=0.01, class_weight="balanced"))
            machine.fit(known[:, entry, None], known_truth[name])
            accuracies.append(machine.score(x[:, entry, None], truth[name]))
        gaps.append(sorted(accuracies)[-1] - sorted(accuracies)[-2])
    return float(np.mean(gaps))


def dci(
    train_codes: Tensor,
    train_labels: Mapping[str, Tensor],
    codes: Tensor,
    labels: Mapping[str, Tensor],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Disentanglement, completeness and informativeness (Eastwood & Williams 2018), each in [0, 1].

    ``R (F, L)`` holds the importance of every entry for every label, from gradient-boosted trees.
    *Disentanglement*: ``Σ_i ρ_i (1 − H(R_i / ΣR_i) / ln L)``, ``ρ_i`` the share of all importance that entry i
    has: does an entry serve one label? *Completeness*: ``E_l[1 − H(R_l / ΣR_l) / ln F]``: is a label
    in one entry? *Informativeness*: the trees' mean test accuracy.

    Args:
        train_codes: ``(N, F)``, what the trees learn from.
        train_labels: Each ``(N,)``; at least two.
        codes: ``(M, F)``, what they are judged on.
        labels: Each ``(M,)``.
        seed: Of the trees.

    Raises:
        InputError: See :func:`separated_attribute_predictability`; or there are fewer than two labels.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    known, known_truth = _checked(train_codes, train_labels)
    x, truth = _checked(codes, labels)
    _agree(known, x, train_labels, labels)
    names = sorted(known_truth.keys() & truth.keys())
    if len(names) < 2:
        raise InputError(f"DCI compares labels: at least 2 that vary are needed; got {names}")
    importance, accuracy = [], []
    for name in names:
        trees = GradientBoostingClassifier(n_estimators=10, random_state=seed)
        trees.fit(known, known_truth[name])
        importance.append(trees.feature_importances_)
        accuracy.append(trees.score(x, truth[name]))
    matrix = np.array(importance).T
    weight = matrix.sum(1) / max(matrix.sum(), 1e-12)
    return {
        "disentanglement": float((weight * (1 - _row_entropy(matrix) / np.log(len(names)))).sum()),
        "completeness": float((1 - _row_entropy(matrix.T) / np.log(matrix.shape[0])).mean()),
        "informativeness": float(np.mean(accuracy)),
    }


def _row_entropy(matrix: Array) -> Array:
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1e-12)
    return np.asarray(-np.where(shares > 0, shares * np.log(np.maximum(shares, 1e-300)), 0.0).sum(1))


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
