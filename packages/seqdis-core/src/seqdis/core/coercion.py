"""Coercion of tensors, arrays, lists and tables to :class:`Sequences`, done once, where data come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdis.core.array_coercion import as_steps, as_tensor
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.core.table_coercion import is_table, read_table

__all__ = ["as_sequences"]

RANGE_TOLERANCE = 0.1
"""Share of the range by which values may exceed it, because resizing makes pictures overshoot."""


def as_sequences(
    data: Any,
    *,
    frame_shape: Sequence[int | None] | None = None,
    value_range: tuple[float, float] | None = None,
    id_column: str | None = None,
    time_column: str | None = None,
    columns: Sequence[str] | None = None,
    name: str = "input",
) -> Sequences:
    """Make sequences of a tensor, an array, a list of them, or a table.

    - **Tensor or array**: ``(B, V, *frame)``, or one sequence ``(V, *frame)``. Where ``frame_shape`` is not given, two
      dimensions are one series ``(V, F)``, three are several, four are one clip ``(V, C, H, W)``, five are several.
    - **List**: one sequence an entry, of any lengths; the shorter ones are padded with 0 and masked.
    - **Table** (pandas, polars): a row a step, see ``id_column`` and ``time_column``.
    - **NaN** is an entry that was not measured. Infinity is an error.
    - **uint8** pictures stand for ``x / 255``, and may have their channels last where ``frame_shape`` says so.

    Args:
        data: The data, any of these, or :class:`Sequences`, whose frames become float32 in their range as well.
        frame_shape: The shape of a frame, ``(F,)`` or ``(C, H, W)``, that the result must have, with None for
            any size.
        value_range: The least and the greatest value that frames of this kind have.
        id_column: The column of a table that names a row's sequence; all rows are one sequence when omitted.
        time_column: The column of a table that holds a row's time, a number or a date; the order of the rows
            counts when omitted.
        columns: The columns of a table that are channels, in this order; all further columns of numbers when
            omitted.
        name: The name of the data in error messages.

    Raises:
        InputError: The data are of another kind or shape, empty, infinite somewhere, or out of their range;
            or the rows of a sequence are not in the order of their time.
    """
    if isinstance(data, Sequences):
        sequences = _as_float(data)
    elif is_table(data):
        parts = read_table(data, id_column=id_column, time_column=time_column, columns=columns, name=name)
        sequences = _join(parts.values, frame_shape, name, keys=parts.keys, stamps=parts.stamps)
    else:
        for option, given in (("id_column", id_column), ("time_column", time_column), ("columns", columns)):
            if given is not None:
                raise InputError(f"{name}: {option} is for a table; got {type(data).__name__}")
        if isinstance(data, (list, tuple)) or getattr(data, "dtype", None) == np.dtype(object):
            sequences = _join(list(data), frame_shape, name)
        else:
            sequences = _finish(as_steps(as_tensor(data, name), frame_shape, name, batched=None), name)
    if value_range is not None and not sequences.coded:
        _check_range(sequences, value_range, name)
    return sequences


def _as_float(sequences: Sequences) -> Sequences:
    x = sequences.x
    if x.dtype == torch.float32:
        return sequences
    return replace(sequences, x=x.float().div_(255) if x.dtype == torch.uint8 else x.float())


def _join(
    values: Sequence[Any],
    frame_shape: Sequence[int | None] | None,
    name: str,
    *,
    keys: Sequence[str] = (),
    stamps: Sequence[np.ndarray] | None = None,
) -> Sequences:
    """Join sequences of any lengths into one batch, padded and masked."""
    if not len(values):
        raise InputError(f"{name}: an empty list; allowed: one sequence or more")
    parts: list[Sequences] = []
    for i, value in enumerate(values):
        title = f"{name}: sequence {keys[i] if keys else i}"
        part = _finish(as_steps(as_tensor(value, title), frame_shape, title, batched=False), title)
        if parts and part.x.shape[2:] != parts[0].x.shape[2:]:
            raise InputError(
                f"{title}: frames of shape {tuple(part.x.shape[2:])}; the first sequence has "
                f"{tuple(parts[0].x.shape[2:])}"
            )
        parts.append(
            Sequences(
                part.x,
                observed=part.observed,
                keys=(keys[i],) if keys else (),
                stamps=None if stamps is None else stamps[i][None],
            )
        )
    return Sequences.cat(parts)


def _finish(x: Tensor, name: str) -> Sequences:
    """Mark NaN as not observed and replace it by 0."""
    infinite = torch.isinf(x)
    if bool(infinite.any()):
        index = tuple(infinite.nonzero()[0].tolist())
        raise InputError(
            f"{name}: {int(infinite.sum())} values are infinite (as float32), the first at index {index}; "
            "only finite values and NaN for what was not measured are allowed"
        )
    missing = torch.isnan(x)
    if not bool(missing.any()):
        return Sequences(x)
    return Sequences(torch.where(missing, 0.0, x), observed=~missing)


def _check_range(sequences: Sequences, value_range: tuple[float, float], name: str) -> None:
    low, high = value_range
    slack = RANGE_TOLERANCE * (high - low)
    x = sequences.x.detach()
    if sequences.mask is not None:
        x = x[sequences.mask]
    if sequences.observed is not None:
        x = x[sequences.observed if sequences.mask is None else sequences.observed[sequences.mask]]
    if not x.numel():
        return
    least, most = (float(value) for value in torch.aminmax(x))
    if least < low - slack or most > high + slack:
        raise InputError(f"{name}: values from {least:g} to {most:g}; allowed: {low:g} to {high:g}")
