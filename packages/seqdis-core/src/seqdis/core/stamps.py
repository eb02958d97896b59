"""Time stamps of the steps of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqdis.core.errors import InputError

__all__ = ["check_stamps", "common_stamps", "convert_stamps", "pad_stamps"]


def check_stamps(stamps: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    """Refuse time stamps that are not one number or one ``datetime64`` a step.

    Args:
        stamps: The time stamps that were given.
        shape: The batch size and the number of steps, ``(B, V)``.
        name: The name of the data, for the message.

    Raises:
        InputError: The shape or the type is another one.
    """
    if not isinstance(stamps, np.ndarray) or stamps.dtype.kind not in "iufM":
        received = stamps.dtype if isinstance(stamps, np.ndarray) else type(stamps).__name__
        raise InputError(f"{name}: stamps are {received}; allowed: a numpy array of numbers or datetime64")
    if stamps.shape != shape:
        raise InputError(f"{name}: stamps of shape {stamps.shape}; allowed: {shape}")


def pad_stamps(stamps: np.ndarray, steps: int) -> np.ndarray:
    """Stamps ``(B, V)`` continued to ``(B, steps)`` by NaT, NaN or, in integers, 0."""
    missing = steps - stamps.shape[1]
    if not missing:
        return stamps
    fill: Any = {"M": np.datetime64("NaT"), "f": np.nan}.get(stamps.dtype.kind, 0)
    return np.pad(stamps, ((0, 0), (0, missing)), constant_values=fill)


def common_stamps(types: Sequence[np.dtype | None]) -> np.dtype | None:
    """The type that holds the stamps of all parts: times of the finest unit, or numbers; None where no part has any.

    Args:
        types: Type of each part's stamps; None for a part without.

    Raises:
        InputError: Some parts have times and others numbers.
    """
    given = {dtype for dtype in types if dtype is not None}
    if not given:
        return None
    if len({dtype.kind == "M" for dtype in given}) > 1:
        named = ", ".join(sorted(map(str, given)))
        raise InputError(
            f"stamps are times in some recordings and numbers in others: {named}; allowed: one of the two"
        )
    joined = np.result_type(*given)
    # An integer cannot say that there is none.
    return np.dtype(np.float64) if any(dtype is None for dtype in types) and joined.kind in "iu" else joined


def convert_stamps(stamps: np.ndarray | None, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """Stamps ``(B, V)`` as a type that :func:`common_stamps` found; NaT or NaN where there are none."""
    if stamps is None:
        return np.full(shape, np.datetime64("NaT") if dtype.kind == "M" else np.nan, dtype=dtype)
    return stamps.astype(dtype)
