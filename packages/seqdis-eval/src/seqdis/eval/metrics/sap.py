"""SAP: does one entry of a code alone tell a label?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.codes import agree, bounded_interval, checked

__all__ = ["separated_attribute_predictability"]


def separated_attribute_predictability(
    train_codes: Tensor,
    train_labels: Mapping[str, Tensor],
    codes: Tensor,
    labels: Mapping[str, Tensor],
    *,
    resamples: int = 100,
    seed: int = 0,
) -> Estimate:
    """``SAP = E_l[a_1st − a_2nd]``, ``a`` the test accuracy from one entry alone (Kumar et al. 2018), in [0, 1].

    The accuracy is that of a linear support vector machine on the one, standardised entry. The interval is a bootstrap
    over test sequences.

    Args:
        train_codes: ``(N, F)``, what the classifiers learn from.
        train_labels: Each ``(N,)``.
        codes: ``(M, F)``, what they are judged on.
        labels: Each ``(M,)``.
        resamples: Number of draws of the bootstrap; 0 for none.
        seed: Seed of the bootstrap.

    Raises:
        InputError: See :func:`~seqdis.eval.metrics.mig.mutual_information_gap`; or the two sides differ in width or labels.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    known, known_truth = checked(train_codes, train_labels)
    x, truth = checked(codes, labels)
    agree(known, x, train_labels, labels)
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
    return Estimate(
        unit="share",
        value=value,
        ci95=bounded_interval(gap, value, len(x), resamples, seed, centred=True),
        n=len(x),
    )
