"""Factors as pandas data frames."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqdis.core.errors import InputError
from seqdis.core.factor_arrays import FactorArrays

__all__ = ["FactorTables", "to_tables"]


@dataclass(frozen=True)
class FactorTables:
    """The values of ``Factors`` as two pandas data frames.

    Attributes:
        static: One row a sequence, its index the key (the number where there are no keys); columns
            ``static_0``, ``static_1``, …, the extras that have one value or one vector a sequence, and its labels.
        dynamic: One row a step that exists, its index the key and the time stamp (the number of the step where
            there are no stamps); columns ``dynamic_0``, …, the extras that have a value or vector a step, and the
            labels of the step and of its sequence.
    """

    static: Any
    dynamic: Any


def to_tables(arrays: FactorArrays, *, sides: Mapping[str, str]) -> FactorTables:
    """Build both tables; an extra that is neither a value nor a vector, of a sequence or a step, is in none.

    Args:
        arrays: The factors as numpy arrays.
        sides: The side of each extra, ``"static"`` or ``"dynamic"``.

    Raises:
        InputError: pandas is not installed.
    """
    try:
        pandas: Any = importlib.import_module("pandas")
    except ImportError as error:
        raise InputError("to_pandas: the package pandas is not installed; pip install pandas") from error
    batch, steps = arrays.dynamic.shape[:2]
    per_sequence, per_step = {"static": arrays.static}, {"dynamic": arrays.dynamic}
    for name, value in arrays.extras.items():
        of_steps = sides[name] == "dynamic" and value.shape[:2] == (batch, steps)
        if of_steps and value.ndim <= 3:
            per_step[name] = value
        elif not of_steps and value.ndim <= 2:
            per_sequence[name] = value
    for name, value in arrays.labels.items():
        if value.ndim == 1:
            per_sequence[name] = value
        per_step[name] = np.broadcast_to(value.reshape(batch, -1), (batch, steps))
    exists = np.ones((batch, steps), dtype=bool) if arrays.mask is None else arrays.mask
    keys = np.array(arrays.keys, dtype=object) if arrays.keys else np.arange(batch)
    dated = arrays.stamps is not None
    times = arrays.stamps if dated else np.broadcast_to(np.arange(steps), (batch, steps))
    index = pandas.MultiIndex.from_arrays(
        [np.repeat(keys, steps)[exists.ravel()], times[exists]],  # type: ignore[index]
        names=["key", "stamp" if dated else "step"],
    )
    return FactorTables(
        static=pandas.DataFrame(_columns(per_sequence), index=pandas.Index(keys, name="key")),
        dynamic=pandas.DataFrame(
            _columns({name: value[exists] for name, value in per_step.items()}), index=index
        ),
    )


def _columns(parts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns by name: ``name`` for one value a row, ``name_0``, ``name_1``, … for more."""
    columns = {}
    for name, value in parts.items():
        if value.ndim == 1:
            columns[name] = value
            continue
        flat = value.reshape(len(value), -1)
        columns |= {f"{name}_{i}": flat[:, i] for i in range(flat.shape[1])}
    return columns
