"""Tensors and arrays of several layouts as float32 frames ``(B, V, *frame)``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["as_steps", "as_tensor"]

SERIES, PICTURE = 1, 3
"""Number of dimensions of a frame: a vector ``(F,)``, a picture ``(C, H, W)``."""


def as_tensor(value: Any, name: str) -> Tensor:
    """Turn a tensor, or anything that numpy reads as real numbers, into a tensor.

    Raises:
        InputError: The value is neither a tensor nor an array of real numbers.
    """
    if not isinstance(value, Tensor):
        try:
            array = _without_mask(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"{name}: a {type(value).__name__} cannot be read as an array: {error}"
            ) from error
        if array.dtype.kind not in "iufb":
            raise InputError(
                f"{name}: a {type(value).__name__} of type {array.dtype}; allowed: a tensor, an array, a list of "
                "them, or a data frame, of real numbers"
            )
        if (array.dtype.kind == "u" and array.dtype != np.uint8) or array.dtype == np.longdouble:
            array = array.astype(np.float64)
        array = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
        value = torch.from_numpy(array if array.flags.writeable else array.copy())
    if value.is_complex():
        raise InputError(f"{name}: complex numbers; allowed: real numbers")
    return value


def _without_mask(array: np.ma.MaskedArray) -> np.ndarray:
    """An array in which NaN stands in each masked entry."""
    if not np.ma.is_masked(array):
        return array.data
    unit = 255.0 if array.dtype == np.uint8 and array.ndim > PICTURE else 1.0
    return np.where(np.ma.getmaskarray(array), np.nan, array.data / unit)


def as_steps(
    value: Tensor, frame_shape: Sequence[int | None] | None, name: str, *, batched: bool | None
) -> Tensor:
    """Frames as float32 ``(B, V, *frame)``; one sequence becomes a batch of one.

    Args:
        value: Frames ``(B, V, *frame)`` or ``(V, *frame)``; pictures may have their channels last.
        frame_shape: The shape that a frame must have, with None for any size; inferred from the number of
            dimensions when omitted.
        name: The name of the value in error messages.
        batched: Whether there is a batch dimension; None to infer it from the shape.

    Raises:
        InputError: The shape does not fit, or there is no step.
    """
    layout = _layout(value, None if frame_shape is None else tuple(frame_shape), name, batched)
    if 0 in layout.shape:
        raise InputError(
            f"{name}: shape {tuple(value.shape)} is empty; allowed: one sequence of one step or more"
        )
    if layout.dtype == torch.uint8 and layout.ndim - 2 == PICTURE:
        return layout.float() / 255
    return layout.float()


def _layout(value: Tensor, frame: tuple[int | None, ...] | None, name: str, batched: bool | None) -> Tensor:
    shape, only_one = tuple(value.shape), batched is False
    if frame is None:
        if batched is None:
            batched = len(shape) in (2 + SERIES, 2 + PICTURE)
        if len(shape) - 1 - batched not in (SERIES, PICTURE):
            allowed = (
                "(V, F) or (V, C, H, W)" if only_one else "(B, V, F), (V, F), (B, V, C, H, W) or (V, C, H, W)"
            )
            raise InputError(f"{name}: shape {shape}; allowed: {allowed}")
        return value if batched else value[None]
    dimensions = len(frame)
    has_batch = len(shape) == dimensions + 2
    if len(shape) == dimensions + 1 + has_batch and not (has_batch and only_one):
        if (
            not _fits(shape[-dimensions:], frame)
            and dimensions == PICTURE
            and _fits(shape[-3:], (*frame[1:], frame[0]))
        ):
            value = value.movedim(-1, -3)
        if _fits(value.shape[-dimensions:], frame):
            return value if has_batch else value[None]
    inner = ", ".join("any" if wanted is None else str(wanted) for wanted in frame)
    allowed = f"(V, {inner})" if only_one else f"(B, V, {inner}) or (V, {inner})"
    raise InputError(f"{name}: shape {shape}; allowed: {allowed}")


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return all(allowed in (size, None) for size, allowed in zip(shape, wanted, strict=True))
