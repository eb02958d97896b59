"""Plain models (scikit-learn): on raw features, what a figure must beat; on factors, what a head could have read."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

__all__ = ["Classifier", "Regressor", "classify_plainly", "regress_plainly"]

Classifier = Literal["logistic_regression", "random_forest"]
Regressor = Literal["ridge", "random_forest"]

_TREES = 100


def classify_plainly(
    kind: Classifier,
    train_x: Tensor,
    train_y: Tensor,
    test_x: Tensor,
    *,
    classes: int,
    seed: int,
) -> Tensor:
    """Class probabilities, ``(M, K)``: 0 for a class that the training split lacks.

    The regression is multinomial (L2, C = 1) on standardised features, the forest has 100 trees; what is NaN takes
    the training split's mean.

    Args:
        kind: Kind of the model.
        train_x: ``(N, F)``.
        train_y: ``(N,)``.
        test_x: ``(M, F)``.
        classes: Number of classes, K.
        seed: Seed of the forest.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    result = torch.zeros(len(test_x), classes, dtype=torch.float64)
    known = train_y.unique()
    if len(known) == 1:
        result[:, known] = 1.0  # the regression refuses a single class
        return result
    forest = kind == "random_forest"
    model = RandomForestClassifier(_TREES, random_state=seed) if forest else LogisticRegression(max_iter=2000)
    fitted = _pipeline(model).fit(_array(train_x), train_y.numpy())
    result[:, known] = torch.from_numpy(fitted.predict_proba(_array(test_x)))
    return result


def regress_plainly(
    kind: Regressor, train_x: Tensor, train_y: Tensor, test_x: Tensor, *, seed: int
) -> Tensor:
    """Predicted numbers ``(M,)``.

    Ridge regression takes its weight from generalised cross-validation; the forest has 100 trees. A window that
    occurs several times with its number, as in sequences that overlap, counts once.

    Args:
        kind: Kind of the model.
        train_x: ``(N, F)``.
        train_y: ``(N,)``.
        test_x: ``(M, F)``.
        seed: Seed of the forest.
    """
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.linear_model import RidgeCV

    both = np.unique(np.column_stack([_array(train_x), _array(train_y)]), axis=0)
    x, y = both[:, :-1], both[:, -1]
    forest = kind == "random_forest"
    model = (
        RandomForestRegressor(_TREES, random_state=seed) if forest else RidgeCV(alphas=np.logspace(-2, 5, 15))
    )
    with np.errstate(invalid="ignore"):  # of weights whose leave-one-out error is 0/0, which are not chosen
        fitted = _pipeline(model).fit(x, y)
    return torch.from_numpy(fitted.predict(_array(test_x)))


def _pipeline(model: Any) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), model)


def _array(x: Tensor) -> np.ndarray:
    return x.double().numpy()
