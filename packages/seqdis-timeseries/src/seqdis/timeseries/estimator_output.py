"""Rows of features with the identifiers of a long table as their index."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils._set_output import _get_output_config

__all__ = ["index_by_identifier"]


def index_by_identifier(
    estimator: BaseEstimator, rows: np.ndarray, X: Any, ids: np.ndarray | None
) -> np.ndarray | pd.DataFrame:
    """The rows, as a table with an index of its own where scikit-learn would put a long table's many rows there.

    Args:
        estimator: The estimator, which knows what ``set_output`` asked for.
        rows: Features, ``(N, P)``.
        X: The data that the estimator was given.
        ids: The identifier of each series of a long table, N of them, or None.
    """
    if ids is None or not isinstance(X, pd.DataFrame):
        return rows
    if _get_output_config("transform", estimator)["dense"] != "pandas":
        return rows
    return pd.DataFrame(rows, index=pd.Index(ids), columns=estimator.get_feature_names_out())
