"""Numbers that stand for a missing value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqdis.core.errors import InputError
from seqdis.timeseries.options import SeriesOptions

__all__ = ["without_codes"]

CODES = (-999.0, -9999.0, -99999.0, -999.9, -999.99, -9999.99)
"""Numbers that often stand for a missing value."""


def without_codes(
    values: np.ndarray, columns: Sequence[str], name: str, options: SeriesOptions
) -> np.ndarray:
    """The values with NaN where a number stands for a missing value.

    Args:
        values: The channels, ``(T, F)``.
        columns: Names of the channels.
        name: The file, for the message.
        options: ``missing`` names such numbers; False says that there are none.

    Raises:
        InputError: A column holds a usual code far below all its other values, and ``missing`` does not say what it is.
    """
    if options.missing is False:
        return values
    for text in options.missing:
        try:
            values = np.where(values == float(text), np.nan, values)
        except ValueError:
            continue  # a text: no longer among numbers
    for i, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        code = known.min() if len(known) else 0.0
        others = known[known != code]
        if code in CODES and (not len(others) or others.min() > code / 2):
            row = int(np.flatnonzero(column == code)[0]) + 1
            raise InputError(
                f"{name}: column {columns[i]!r} is {code:g} in data row {row}, far below its other values; allowed: "
                f"missing={code:g} (a missing value), or missing=false (a number)"
            )
    return values
