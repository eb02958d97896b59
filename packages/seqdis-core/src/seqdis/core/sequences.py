"""Sequences: the one value that goes into a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["Sequences", "check_finite", "check_whole"]


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


def check_whole(method: str, *, mask: Tensor | None, observed: Tensor | None) -> None:
    """Refuse sequences with gaps, for a method that has no place for them.

    Raises:
        InputError: A step is padding or an entry was not measured; says how many.
    """
    for what, given in (("mask", mask), ("observed", observed)):
        if given is not None and not bool(given.all()):
            raise InputError(
                f"{what}: {method} takes whole clips; {int((~given.bool()).sum())} entries are missing"
            )


@dataclass(frozen=True)
class Sequences:
    """B sequences of V steps.

    Attributes:
        x: Frames in the modality's natural unit, ``(B, V, *frame)``, float32.
        mask: True where a step exists (False: padding), ``(B, V)``, or None: all of them do.
        observed: True where an entry was measured, shaped like ``x``, or None: all of them were.
            An entry that was not is 0 in ``x`` after normalisation and out of the loss.
        labels: Integer labels a sequence, each ``(B,)``.
        keys: A name for each sequence, for error messages and output files.
        targets: What a method asked for by name beside each step: pseudo-labels ``(B, V, K)``, or frames
            ``(B, V, *frame)``; float32.
    """

    x: Tensor
    mask: Tensor | None = None
    observed: Tensor | None = None
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    keys: Sequence[str] = ()
    targets: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device | str) -> Sequences:
        """Move all tensors to a device, without waiting for the copy where that is possible."""

        return self._map(lambda value: value.to(device, non_blocking=True))

    def pin_memory(self) -> Sequences:
        """Page-locked copies, as ``DataLoader(pin_memory=True)`` asks for."""

        return self._map(Tensor.pin_memory)

    def _map(self, function: Callable[[Tensor], Tensor]) -> Sequences:
        return replace(
            self,
            x=function(self.x),
            mask=None if self.mask is None else function(self.mask),
            observed=None if self.observed is None else function(self.observed),
            labels={name: function(value) for name, value in self.labels.items()},
            targets={name: function(value) for name, value in self.targets.items()},
        )
