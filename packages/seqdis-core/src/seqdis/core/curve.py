"""A curve over a variable (a noise step, a lag), which a method measures at each validation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["Curve"]


@dataclass(frozen=True)
class Curve:
    """Values over a variable.

    Attributes:
        x: Values of the variable, rising, ``(N,)``.
        y: Mean over sequences at each ``x``, ``(N,)``.
        x_name: Name of ``x``, with its unit.
        y_name: Name of ``y``, with its unit.
        logarithmic: Whether ``y`` spans orders of magnitude and is drawn so.

    Raises:
        InputError: ``x`` and ``y`` are not two vectors of one length.
    """

    x: Tensor
    y: Tensor
    x_name: str
    y_name: str
    logarithmic: bool = False

    def __post_init__(self) -> None:
        if self.x.ndim != 1 or self.x.shape != self.y.shape or not len(self.x):
            raise InputError(
                f"a curve needs x and y of one shape (N,); got {tuple(self.x.shape)} and {tuple(self.y.shape)}"
            )
