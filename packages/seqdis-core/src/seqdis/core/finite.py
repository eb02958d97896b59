"""Refusal of NaN and Inf, where numbers come in and where they go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["NotFiniteError", "check_finite", "check_results", "check_scale"]


class NotFiniteError(InputError):
    """A network made NaN or Inf of a sequence.

    Args:
        message: Name of the sequence, and what went in and came out.
        row: Number of the sequence in its batch.
    """

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


def check_finite(x: Tensor, name: str) -> None:
    """Refuse NaN and Inf.

    Raises:
        InputError: An entry is not finite; says how many and where the first one is.
    """
    finite = torch.isfinite(x)
    if not bool(finite.all()):
        bad = (~finite).nonzero()
        raise InputError(
            f"{name}: {len(bad)} of {x.numel()} values are NaN or Inf, the first at index "
            f"{tuple(bad[0].tolist())}; only finite values are allowed"
        )


def check_scale(scale: Tensor, name: str) -> None:
    """Refuse a standard deviation that cannot be divided by.

    Raises:
        InputError: An entry is 0, below 0, or so small that ``1 / scale`` overflows.
    """
    usable = torch.isfinite(scale) & torch.isfinite(1 / scale) & (scale > 0)
    if not bool(usable.all()):
        index = (~usable).nonzero()[0]
        raise InputError(
            f"{name}: is {scale[tuple(index)].item():g} at index {tuple(index.tolist())}; allowed: above 0, with a "
            "finite reciprocal"
        )


def check_results(results: Mapping[str, Tensor], given: Tensor, keys: Sequence[str], *, name: str) -> None:
    """Refuse what a network made of a batch where any of it is NaN or Inf.

    Args:
        results: Tensors that came out, each ``(B, …)``, by their name in a message.
        given: Finite values that went in, ``(B, …)``.
        keys: A name for each sequence, or none.
        name: Name of the batch, for sequences without a name of their own.

    Raises:
        NotFiniteError: A value is not finite; names the first such sequence and the range of what went in.
    """
    for what, value in results.items():
        finite = torch.isfinite(value.detach())
        if bool(finite.all()):
            continue
        row = int((~finite.flatten(1).all(1)).nonzero()[0])
        least, most = (float(x) for x in torch.aminmax(given[row].detach()))
        key = keys[row] if keys else f"{name}: sequence {row}"
        raise NotFiniteError(
            f"{key}: this model makes NaN or Inf of it ({what}); its values go from {least:g} to {most:g}",
            row,
        )
