"""One recording as it was read from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.sequences import check_finite

__all__ = ["Clip"]


@dataclass(frozen=True)
class Clip:
    """One recording as it was read from a file.

    Attributes:
        frames: The frames, ``(T, *frame)``, floating point, or uint8 that stands for ``frames / 255``.
        key: The name of the recording, usually the file's path below its folder.
        observed: True where an entry was measured, shaped like ``frames``; None where all were.
        labels: Integer labels of the recording, by name.
    """

    frames: Tensor
    key: str
    observed: Tensor | None = None
    labels: Mapping[str, int] | None = None

    def check_length(self, length: int) -> None:
        """Refuse a recording that no sequence of ``length`` steps can be cut from.

        Raises:
            InputError: The recording is shorter, or a value is not finite.
        """
        if len(self.frames) < length:
            raise InputError(f"{self.key}: has {len(self.frames)} steps; at least {length} are needed")
        if self.frames.is_floating_point():
            check_finite(self.frames, self.key)

    def observed_entries(self) -> Tensor:
        """True where an entry was measured, shaped like ``frames``."""
        if self.observed is not None:
            return self.observed
        # Expanded, not filled: a recording without gaps costs one byte.
        return torch.ones((), dtype=torch.bool).expand(self.frames.shape)
