"""Arrays of numpy as series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqdis.core.errors import InputError
from seqdis.core.limits import check_size
from seqdis.core.npy_files import Arrays, read_npy

__all__ = ["ArrayFile", "read_array"]


@dataclass(frozen=True)
class ArrayFile:
    """The numbers of a file.

    Attributes:
        values: The series, ``(T, F)``, float64, NaN where a value is missing.
        observed: True where a value was measured, ``(T, F)``.
    """

    values: np.ndarray
    observed: np.ndarray


def read_array(path: Path) -> ArrayFile:
    """Read a series ``(T, F)`` or ``(T,)`` from an npy file, or an npz file of one array or of ``x`` and ``observed``.

    Raises:
        InputError: The file is missing or damaged, holds other arrays, or no numbers.
    """
    seen = None
    if path.suffix.lower() == ".npy":
        values = read_npy(path)
    else:
        arrays = Arrays(path)
        names = list(arrays)
        if len(names) != 1 and not {"x"} <= set(names) <= {"x", "observed"}:
            raise InputError(f"{path}: holds arrays {names!s:.200}; allowed: one, or 'x' and 'observed'")
        values = arrays["x" if len(names) > 1 else names[0]]
        seen = arrays["observed"] if len(names) > 1 else None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        raise InputError(
            f"{path}: an array {values.shape} of {values.dtype}; allowed: numbers, (T, F) or (T,)"
        )
    check_size(path, values.shape[1], "columns", what="columns")
    values = np.array(values, dtype=np.float64)
    observed = ~np.isnan(values)
    if seen is not None:
        if seen.shape != values.shape or seen.dtype != np.bool_:
            raise InputError(
                f"{path}: 'observed' is {seen.shape} of {seen.dtype}; allowed: bool {values.shape}"
            )
        observed &= seen
    return ArrayFile(values, observed)
