"""PackedRecording: a recording of a file in a shard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.derived_recording import DerivedRecording
from seqdis.core.data.unpacked_files import unpack
from seqdis.core.errors import InputError

__all__ = ["PackedRecording"]


@dataclass(frozen=True, kw_only=True)
class PackedRecording(DerivedRecording):
    """A recording that is read from an unpacked file, which is unpacked again where it was removed.

    Attributes:
        path: ``SHARD.tar#NAME``.
    """

    path: Path

    def take(self, steps: Tensor) -> Clip:
        try:
            unpack(self.path)
            return self.source.take(steps)
        except InputError:
            # Another process may have removed it in between.
            file = unpack(self.path)
        try:
            return self.source.take(steps)
        except InputError as error:
            raise InputError(str(error).replace(str(file), str(self.path))) from error
