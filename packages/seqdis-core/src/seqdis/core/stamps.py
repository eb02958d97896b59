"""Time stamps of the steps of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqdis.core.errors import InputError

__all__ = ["check_stamps", "pad_stamps"]


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
