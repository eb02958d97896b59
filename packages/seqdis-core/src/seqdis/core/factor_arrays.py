"""Factors as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqdis.core.factors import Factors

__all__ = ["FactorArrays", "to_arrays"]


@dataclass(frozen=True)
class FactorArrays:
    """What :class:`Factors` holds, as numpy arrays on the CPU.

    Attributes:
        static: Who or what, ``(B, *S)``.
        dynamic: What happens at each step, ``(B, V, *D)``.
        extras: Further factors of the method by name, each ``(B, ...)``.
        keys: A name for each sequence, or none.
        stamps: When each step was, ``(B, V)``, or None.
        mask: True where a step exists, ``(B, V)``, or None: all of them do.
    """

    static: np.ndarray
    dynamic: np.ndarray
    extras: Mapping[str, np.ndarray]
    keys: tuple[str, ...]
    stamps: np.ndarray | None
    mask: np.ndarray | None


def to_arrays(factors: Factors) -> FactorArrays:
    """Copy factors of any device and floating type; what numpy does not know (bfloat16) becomes float32."""
    return FactorArrays(
        static=_array(factors.static),
        dynamic=_array(factors.dynamic),
        extras={name: _array(extra.value) for name, extra in factors.extras.items()},
        keys=tuple(factors.keys),
        stamps=None if factors.stamps is None else np.array(factors.stamps),
        mask=None if factors.mask is None else _array(factors.mask),
    )


def _array(value: Tensor) -> np.ndarray:
    value = value.detach().cpu()
    return np.array((value.float() if value.dtype == torch.bfloat16 else value).numpy())
