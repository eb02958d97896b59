"""One recording whose frames were coded once and lie in a file of latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.latent_shard import open_shard
from seqdis.core.data.recording import Recording

__all__ = ["LatentRecording"]


@dataclass(frozen=True, kw_only=True)
class LatentRecording(Recording):
    """The latents of one recording, of which the steps that are asked for are read.

    Attributes:
        key: Name of the recording.
        path: The file of latents.
        first: Number of the row that holds its first step.
        count: The number of its steps, T.
        latent_shape: The shape of a coded frame.
        labels: The class of each label of the whole recording, by the label's name.
        names: Names of the labels that every step has one of.
        stamps: Type of its time stamps; None where there are none.
    """

    key: str
    path: Path
    first: int
    count: int
    latent_shape: tuple[int, ...]
    labels: Mapping[str, str] | None = None
    names: Sequence[str] = ()
    stamps: str | None = None

    @property
    def steps(self) -> int:
        return self.count

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.latent_shape

    @property
    def step_labels(self) -> Sequence[str]:
        return self.names

    @property
    def dated(self) -> bool:
        return self.stamps is not None

    @property
    def coded(self) -> bool:
        return True

    def identity(self) -> list[str | Tensor]:
        """The key, the number of steps, its place, and the size and time of the file of latents."""
        status = self.path.stat()
        place = [self.count, self.first, status.st_size, status.st_mtime_ns]
        return [self.key, *map(str, place)]

    def take(self, steps: Tensor) -> Clip:
        shard, rows = open_shard(self.path), steps + self.first
        return Clip(
            shard.rows("latents", rows),
            self.key,
            labels=self.labels,
            stamps=None if self.stamps is None else _stamps(shard.rows("stamps", rows), self.stamps),
            steps_labelled={
                name: np.array(shard.classes[name], dtype=np.str_)[shard.rows(f"label.{name}", rows).numpy()]
                for name in self.names
            },
        )


def _stamps(bits: Tensor, dtype: str) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "M":
        return bits.numpy().view(kind)
    return bits.numpy().view(np.float64 if kind.kind == "f" else np.int64).astype(kind)
