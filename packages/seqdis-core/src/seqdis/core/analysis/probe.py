"""Linear probes: the labels that a linear classifier can read from each factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqdis.core.analysis.confidence import wilson
from seqdis.core.analysis.encode import encode_dataset
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.factors import SIDES, Factors
from seqdis.core.finite import check_finite
from seqdis.core.metric import Estimate, Metrics

__all__ = ["ProbeOutcome", "probe", "probe_factors", "probe_outcomes", "probe_splits"]


@dataclass(frozen=True)
class ProbeOutcome:
    """The outcome of one probe on the test sequences.

    Attributes:
        right: True where the predicted class is the true one, ``(M,)``.
        chance: The share of the commonest class among the test sequences.
    """

    right: Tensor
    chance: float

    def estimate(self) -> Estimate:
        """The accuracy with Wilson's interval."""
        right, n = int(self.right.sum()), len(self.right)
        return Estimate(value=right / n, unit="share", chance=self.chance, ci95=wilson(right, n), n=n)


def probe_splits(model: Disentangler, train_set: SequenceDataset, test_set: SequenceDataset) -> Metrics:
    """Encode two datasets and probe the factors; the accuracies of :func:`probe_outcomes`.

    Args:
        model: Model of any method.
        train_set: The sequences whose factors the classifiers are fitted to.
        test_set: The sequences whose factors they are judged on.

    Raises:
        InputError: The two label sets differ, or :func:`probe`'s.
    """
    known, held_out = (encode_dataset(model, dataset) for dataset in (train_set, test_set))
    return probe_factors(known, train_set.all_labels(), held_out, test_set.all_labels())


def probe_factors(
    train_factors: Factors,
    train_labels: Mapping[str, Tensor],
    test_factors: Factors,
    test_labels: Mapping[str, Tensor],
) -> Metrics:
    """The accuracy of each probe of :func:`probe_outcomes`, with the same arguments."""
    outcomes = probe_outcomes(train_factors, train_labels, test_factors, test_labels)
    return Metrics.of({name: outcome.estimate() for name, outcome in outcomes.items()}, role="probe")


def probe_outcomes(
    train_factors: Factors,
    train_labels: Mapping[str, Tensor],
    test_factors: Factors,
    test_labels: Mapping[str, Tensor],
    *,
    parts: Sequence[str] = SIDES,
) -> dict[str, ProbeOutcome]:
    """Classify every label linearly, once from ``s`` and once from ``d^{1:V}`` flattened.

    A disentangled model has a high ``probe_<identity>_from_static`` and a
    ``probe_<identity>_from_dynamic`` near chance, and the reverse for labels of motion.

    Args:
        train_factors: Factors of the N sequences that the classifiers are fitted to.
        train_labels: Classes of these sequences by label, each ``(N,)``.
        test_factors: Factors of M other sequences, on which the classifiers are tested.
        test_labels: Classes of these by the same labels, each ``(M,)``.
        parts: Names of the parts that are read, ``"static"``, ``"dynamic"``, or an extra's.

    Returns:
        ``probe_<label>_from_<part>`` of every label and part; see :func:`probe`.

    Raises:
        InputError: The two label sets or the factors' shapes differ, factors have no such part, or a split cannot be
            used; see :func:`probe`.
    """
    if set(train_labels) != set(test_labels):
        raise InputError(
            f"probe: train labels {sorted(train_labels)} differ from test labels {sorted(test_labels)}"
        )
    train, test = train_factors.parts(), test_factors.parts()
    for part in parts:
        if part not in train or part not in test:
            raise unknown_name("part of these factors", part, train)
    outcomes = {}
    for label in train_labels:
        for part in parts:
            name = f"probe_{label}_from_{part}"
            known, asked = train[part].flatten(1), test[part].flatten(1)
            outcomes[name] = probe(known, train_labels[label], asked, test_labels[label], name=name)
    return outcomes


def probe(
    train_x: Tensor, train_y: Tensor, test_x: Tensor, test_y: Tensor, *, name: str = "probe"
) -> ProbeOutcome:
    """Fit multinomial logistic regression (L2, C = 1) to standardised features, and test it on other sequences.

    A class that the training split does not hold is never predicted, and so counts as wrong.

    Args:
        train_x: Features of the training split, ``(N, F)``.
        train_y: Classes of the training split, ``(N,)``.
        test_x: Features of the test split, ``(M, F)``.
        test_y: Classes of the test split, ``(M,)``.
        name: Name of the probe in messages.

    Raises:
        InputError: A split is empty, sizes disagree, or a feature is not finite.
    """
    # Here, because the import takes a second that the other analyses need not wait for.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    for split, x, y in (("train", train_x, train_y), ("test", test_x, test_y)):
        if x.ndim != 2 or y.ndim != 1 or not len(x) or len(x) != len(y):
            raise InputError(
                f"{name}: the {split} split needs features (N, F) and labels (N,) with N ≥ 1; "
                f"got {tuple(x.shape)} and {tuple(y.shape)}"
            )
        check_finite(x, f"{name}: {split} features")
    if train_x.shape[1] != test_x.shape[1]:
        raise InputError(
            f"{name}: {train_x.shape[1]} features in train, {test_x.shape[1]} in test; they must agree"
        )
    truth, known = _array(test_y), _array(train_y)
    if len(np.unique(known)) == 1:
        predicted = np.full_like(truth, known[0])  # the regression refuses a single class
    else:
        # float64: the scale of a nearly constant feature would drown in float32's rounding. Once they are of one
        # scale, float32 does, in half the time.
        scaler = StandardScaler().fit(_array(train_x.double()))
        train, test = (scaler.transform(_array(x.double())).astype(np.float32) for x in (train_x, test_x))
        predicted = LogisticRegression(max_iter=2000).fit(train, known).predict(test)
    chance = float(np.unique(truth, return_counts=True)[1].max() / len(truth))
    return ProbeOutcome(torch.from_numpy(predicted == truth), chance)


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()
