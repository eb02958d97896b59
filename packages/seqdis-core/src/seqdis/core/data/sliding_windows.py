"""Cutting recordings into windows at a fixed stride."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.data.labels import Label
from seqdis.core.data.recording import Recording
from seqdis.core.data.recordings import Recordings, View
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.views import ViewReader
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

__all__ = ["SlidingWindows", "window_starts"]


def window_starts(total: int, length: int, stride: int) -> list[int]:
    """First steps of the windows ``[i·stride, i·stride + length)`` that fit into ``total`` steps.

    Raises:
        InputError: ``length`` or ``stride`` is not positive.
    """
    if length < 1 or stride < 1:
        raise InputError(f"windows need length ≥ 1 and stride ≥ 1; got {length} and {stride}")
    return list(range(0, total - length + 1, stride))


class SlidingWindows(SequenceDataset):
    """Every window of ``length`` steps at a fixed stride, in order; its steps are read when it is fetched.

    A recording that is shorter than a window gives one, padded with 0 at its end and masked. The key of a window
    is the recording's key, with ``@START`` where a recording gives more than one.

    Args:
        recordings: The recordings to cut.
        length: Number of steps of a window, V.
        stride: Number of steps between the starts of two windows; V when omitted.
        tail: Whether the steps behind the last whole window are a window as well, padded and masked.
        labels: The meaning of the recordings' labels.
        step_labels: The meaning of the labels of single steps.

    Raises:
        InputError: There is no recording, their frames differ in shape, or the length or the stride is not positive.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        length: int,
        *,
        stride: int | None = None,
        tail: bool = False,
        labels: Mapping[str, Label] | None = None,
        step_labels: Mapping[str, Label] | None = None,
    ) -> None:
        self.labels, self.step_labels = dict(labels or {}), dict(step_labels or {})
        self._reader = ViewReader(list(recordings), length, self.labels, self.step_labels)
        self._recordings = list(recordings)
        self._views: list[View] = []
        self._keys: list[str] = []
        for number, recording in enumerate(self._recordings):
            total = recording.steps
            starts = window_starts(total, length, stride or length) or [0]
            behind = starts[-1] + (stride or length)
            if tail and behind < total and starts[-1] + length < total:
                starts.append(behind)
            for start in starts:
                self._views.append(View(number, torch.arange(start, min(start + length, total))))
                self._keys.append(recording.key if len(starts) == 1 else f"{recording.key}@{start}")

    @property
    def shape(self) -> tuple[int, ...]:
        return self._reader.shape

    @property
    def in_memory(self) -> bool:
        return self._reader.in_memory

    @property
    def coded(self) -> bool:
        return self._reader.coded

    def __len__(self) -> int:
        return len(self._views)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        chosen = [int(i) for i in indices]
        return self._reader.read([self._views[i] for i in chosen], [self._keys[i] for i in chosen])

    def all_labels(self) -> dict[str, Tensor]:
        return self._reader.label_values(self._views)

    def recordings(self) -> Recordings:
        """The recordings that the windows are cut from."""
        return self._reader.described(lambda indices, epoch: [self._views[int(i)] for i in indices])
