"""Sequences: the one value that goes into a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from seqdis.core.batch_index import BatchIndex, batch_index, select_names, select_rows, select_stamps
from seqdis.core.errors import InputError
from seqdis.core.stamps import check_stamps, pad_stamps

__all__ = ["NO_CLASS", "Sequences", "check_whole"]

NO_CLASS = -1
"""The class of a step that does not exist."""


def check_whole(method: str, sequences: Sequences, *, refused: Sequence[str] = ("mask", "observed")) -> None:
    """Refuse sequences with gaps, for a method that cannot have any.

    Args:
        method: Name of the method in the message.
        sequences: Sequences that are to be encoded or learnt from.
        refused: The parts that must not mark anything as missing: ``"mask"``, ``"observed"``.

    Raises:
        InputError: A step is padding or an entry was not measured; says how many.
    """
    for part in refused:
        given = getattr(sequences, part)
        if given is not None and not bool(given.all()):
            raise InputError(f"{part}: {method} takes whole clips; {int((~given).sum())} entries are missing")


@dataclass(frozen=True)
class Sequences:
    """B sequences of V steps.

    Attributes:
        x: Frames in the modality's natural unit, ``(B, V, *frame)``, float32.
        mask: True where a step exists (False: padding), ``(B, V)``, or None: all of them do.
        observed: True where an entry was measured, shaped like ``x``, or None: all of them were.
            The values of ``x`` at entries that were not measured have no effect on anything.
        labels: Integer labels a sequence, each ``(B,)``.
        step_labels: Integer labels a step, each ``(B, V)``, -1 in padding.
        keys: A name for each sequence, for error messages and output files; empty where there are none.
        targets: Values for each step that a method asked for by name, float32: pseudo-labels ``(B, V, K)``, or
            further frames ``(B, V, *frame)``.
        stamps: Time stamp of each step, ``(B, V)``, numbers or ``datetime64``; without meaning in padding.
        coded: Whether ``x`` holds the latents of a frame codec, ``(B, V, *latent)``, in place of natural frames.

    Raises:
        InputError: ``x`` has fewer than three dimensions, or another part does not fit it.
    """

    x: Tensor
    mask: Tensor | None = None
    observed: Tensor | None = None
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    keys: Sequence[str] = ()
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    stamps: np.ndarray | None = None
    step_labels: Mapping[str, Tensor] = field(default_factory=dict)
    coded: bool = False

    def __post_init__(self) -> None:
        shape = self.x.shape
        if len(shape) < 3:
            raise InputError(f"sequences need shape (B, V, *frame); got {tuple(shape)}")
        for name, part, allowed in (("mask", self.mask, shape[:2]), ("observed", self.observed, shape)):
            if part is None:
                continue
            if part.shape != allowed:
                raise InputError(f"sequences: {name} of shape {tuple(part.shape)}; allowed: {tuple(allowed)}")
            if part.dtype != torch.bool:
                object.__setattr__(self, name, part.bool())
        if self.stamps is not None:
            check_stamps(self.stamps, tuple(shape[:2]), "sequences")
        if self.keys and len(self.keys) != shape[0]:
            raise InputError(
                f"sequences: {len(self.keys)} keys; allowed: {shape[0]}, one a sequence, or none"
            )
        for name, value in self.step_labels.items():
            if tuple(value.shape) != tuple(shape[:2]):
                raise InputError(
                    f"sequences: step label {name!r} of shape {tuple(value.shape)}; allowed: {tuple(shape[:2])}"
                )
        for kind, parts in (("label", self.labels), ("target", self.targets)):
            for name, value in parts.items():
                if len(value) != shape[0]:
                    raise InputError(
                        f"sequences: {kind} {name!r} is of {len(value)} sequences; allowed: {shape[0]}"
                    )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def steps(self) -> int:
        """The number of steps, V, padding included."""
        return self.x.shape[1]

    @property
    def lengths(self) -> Tensor:
        """The number of steps that exist in each sequence, ``(B,)``."""
        if self.mask is None:
            return torch.full((len(self),), self.steps, device=self.x.device)
        return self.mask.sum(1)

    def __getitem__(self, index: BatchIndex) -> Sequences:
        """Select sequences of the batch; an integer keeps the batch dimension."""
        chosen = batch_index(index, len(self))
        return self._map(
            lambda value: select_rows(value, chosen),
            keys=select_names(self.keys, chosen),
            stamps=select_stamps(self.stamps, chosen),
        )

    def padded(self, steps: int) -> Sequences:
        """The same sequences with ``steps`` steps, padded with 0 at their end and masked.

        Raises:
            InputError: There are more steps already.
        """
        if steps < self.steps:
            raise InputError(
                f"sequences of {self.steps} steps; allowed: padding to as many or more, not {steps}"
            )
        if steps == self.steps:
            return self
        return replace(
            self,
            x=_pad(self.x, steps),
            mask=_pad(_or_true(self.mask, self.x, self.x.shape[:2]), steps),
            observed=None if self.observed is None else _pad(self.observed, steps),
            targets={name: _pad(value, steps) for name, value in self.targets.items()},
            stamps=None if self.stamps is None else pad_stamps(self.stamps, steps),
            step_labels={name: _pad(v, steps, fill=NO_CLASS) for name, v in self.step_labels.items()},
        )

    @staticmethod
    def cat(parts: Sequence[Sequences]) -> Sequences:
        """Join batches along the first dimension; shorter ones are padded with 0 at their end and masked.

        Raises:
            InputError: ``parts`` is empty, their frames differ in shape, or some lack what others have.
        """
        if not parts:
            raise InputError("cat needs at least one Sequences; got none")
        first, steps = parts[0], max(part.steps for part in parts)
        for what, has in _CONTENTS.items():
            given = [has(part) for part in parts]
            if any(one != given[0] for one in given):
                raise InputError(f"cat needs the same {what} in every part; got {given}")
        mask = observed = stamps = None
        if any(part.mask is not None or part.steps < steps for part in parts):
            mask = torch.cat([_pad(_or_true(p.mask, p.x, p.x.shape[:2]), steps) for p in parts])
        if any(part.observed is not None for part in parts):
            observed = torch.cat([_pad(_or_true(p.observed, p.x, p.x.shape), steps) for p in parts])
        if first.stamps is not None:
            stamps = np.concatenate([pad_stamps(p.stamps, steps) for p in parts if p.stamps is not None])
        return Sequences(
            x=torch.cat([_pad(part.x, steps) for part in parts]),
            mask=mask,
            observed=observed,
            labels={name: torch.cat([part.labels[name] for part in parts]) for name in first.labels},
            keys=tuple(key for part in parts for key in part.keys),
            targets={n: torch.cat([_pad(p.targets[n], steps) for p in parts]) for n in first.targets},
            stamps=stamps,
            step_labels={
                name: torch.cat([_pad(p.step_labels[name], steps, fill=NO_CLASS) for p in parts])
                for name in first.step_labels
            },
            coded=first.coded,
        )

    def to(self, device: torch.device | str) -> Sequences:
        """Move all tensors to a device, without waiting for the copy where that is possible."""

        return self._map(lambda value: value.to(device, non_blocking=True))

    def pin_memory(self) -> Sequences:
        """Page-locked copies, as ``DataLoader(pin_memory=True)`` asks for."""

        return self._map(Tensor.pin_memory)

    def _map(self, function: Callable[[Tensor], Tensor], **changes: Any) -> Sequences:
        return replace(
            self,
            x=function(self.x),
            mask=None if self.mask is None else function(self.mask),
            observed=None if self.observed is None else function(self.observed),
            labels={name: function(value) for name, value in self.labels.items()},
            targets={name: function(value) for name, value in self.targets.items()},
            step_labels={name: function(value) for name, value in self.step_labels.items()},
            **changes,
        )


_CONTENTS: Mapping[str, Callable[[Sequences], Any]] = {
    "frame shape": lambda part: tuple(part.x.shape[2:]),
    "kind of frames (natural or coded)": lambda part: part.coded,
    "labels": lambda part: sorted(part.labels),
    "step labels": lambda part: sorted(part.step_labels),
    "targets": lambda part: sorted(part.targets),
    "keys (all or none)": lambda part: bool(part.keys),
    "stamps (all or none)": lambda part: part.stamps is not None,
}


def _or_true(given: Tensor | None, x: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.ones(shape, dtype=torch.bool, device=x.device) if given is None else given


def _pad(value: Tensor, steps: int, *, fill: int = 0) -> Tensor:
    missing = steps - value.shape[1]
    if not missing:
        return value
    return torch.cat([value, value.new_full((len(value), missing, *value.shape[2:]), fill)], dim=1)
