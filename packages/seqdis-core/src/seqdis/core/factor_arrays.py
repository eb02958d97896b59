"""Factors as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

__all__ = ["FactorArrays", "to_array"]


@dataclass(frozen=True)
class FactorArrays:
    """The values of ``Factors`` as numpy arrays on the CPU.

    Attributes:
        static: Static factor of each sequence, ``(B, *S)``.
        dynamic: Dynamic factor of each step, ``(B, V, *D)``.
        extras: Further factors of the method by name, each ``(B, ...)``.
        keys: A name for each sequence, or none.
        stamps: Time stamp of each step, ``(B, V)``, or None.
        mask: True where a step exists, ``(B, V)``; None where all do.
        labels: Labels of the sequences ``(B,)`` or of their steps ``(B, V)``, by name: names of classes, or numbers.
    """

    static: np.ndarray
    dynamic: np.ndarray
    extras: Mapping[str, np.ndarray]
    keys: tuple[str, ...]
    stamps: np.ndarray | None
    mask: np.ndarray | None
    labels: Mapping[str, np.ndarray]


def to_array(value: Tensor) -> np.ndarray:
    """Copy a tensor of any device and type; a type that numpy lacks (bfloat16) becomes float32."""
    value = value.detach().cpu()
    return np.array((value.float() if value.dtype == torch.bfloat16 else value).numpy())
