"""Windows of files, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqdis.core.analysis.block_recording import BlockRecording
from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.discovery import Found, LeftOut
from seqdis.core.data.folder_content import open_recordings
from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.labels import class_names
from seqdis.core.data.recording import Recording
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["FileWindows", "WindowBatch"]


@dataclass(frozen=True)
class WindowBatch:
    """Some windows that are encoded together.

    Attributes:
        first: Number of the first window among those of the same files.
        sequences: The windows, with their keys and time stamps; None where no window is left.
        labels: The names of their classes, ``(B,)``, or ``(B, V)`` for a label of the steps, by the label's name.
        left_out: Files and recordings that were left out since the batch before.
    """

    first: int
    sequences: Sequences | None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()

    def pin_memory(self) -> WindowBatch:
        """The same in page-locked memory."""
        return self if self.sequences is None else replace(self, sequences=self.sequences.pin_memory())

    def kind(self) -> object:
        """Type of the time stamps and names of the labels, which all windows of one batch have in common."""
        stamps = None if self.sequences is None else self.sequences.stamps
        # As text: numpy takes None for the type float64.
        return None if stamps is None else str(stamps.dtype), sorted(self.labels)


class FileWindows:
    """Windows of files in the order of the files, as they are encoded; one file is open at a time.

    Args:
        modality: Modality that reads the files.
        data: The run's data settings; ``length``, ``min_length`` and ``skip_bad`` are those that are asked for.
        root: Folder below which the keys name the files; its ``labels.json`` is read where there is one.
        stride: Steps from one window of a recording to the next; no overlap when omitted.
        tail: Whether the steps behind a recording's last whole window are a window as well, padded.
        batch_size: Windows a batch.
    """

    def __init__(
        self,
        modality: Modality,
        data: DataConfig,
        root: Path,
        *,
        stride: int | None = None,
        tail: bool = False,
        batch_size: int = 64,
    ) -> None:
        self._modality, self._data, self._root = modality, data, root
        self._stride, self._tail, self._batch_size = stride, tail, batch_size
        self._known = read_folder_labels(root)
        self._left_out: list[LeftOut] = []

    def batches(self, paths: Sequence[Path]) -> Iterator[WindowBatch]:
        """The windows of some files; which of them share a batch depends on these files alone.

        Raises:
            InputError: A file cannot be used and ``skip_bad`` is off, or ``labels.json`` says nothing of it.
        """
        waiting: list[WindowBatch] = []
        first = 0
        for part in self._pieces(paths):
            if waiting and waiting[0].kind() != part.kind():
                yield self._batch(waiting, first)
                first, waiting = first + _count(waiting), []
            waiting.append(part)
            while _count(waiting) >= self._batch_size:
                whole = self._batch(waiting, first)
                yield _rows(whole, slice(None, self._batch_size))
                rest = _rows(whole, slice(self._batch_size, None))
                first, waiting = first + self._batch_size, [rest] if _count([rest]) else []
        if waiting or self._left_out:
            yield self._batch(waiting, first)

    def _batch(self, parts: Sequence[WindowBatch], first: int) -> WindowBatch:
        left_out, self._left_out = tuple(self._left_out), []
        sequences = [part.sequences for part in parts if part.sequences is not None]
        if not sequences:
            return WindowBatch(first, None, left_out=left_out)
        labels = {name: np.concatenate([part.labels[name] for part in parts]) for name in parts[0].labels}
        return WindowBatch(first, Sequences.cat(sequences), labels, left_out)

    def _pieces(self, paths: Sequence[Path]) -> Iterator[WindowBatch]:
        for path in paths:
            try:
                yield from self._windows(path)
            except InputError as error:
                if not self._data.skip_bad:
                    raise
                self._left_out.append(LeftOut(path, "damaged", str(error).removeprefix(f"{path}: ")))

    def _windows(self, path: Path) -> Iterator[WindowBatch]:
        # What is too short is left out here, and not there: a file with nothing else in it is no error.
        settings = self._data.model_copy(update={"min_length": 1, "skip_bad": False})
        content = open_recordings(self._modality, Found((path,), ()), settings, self._root)
        long_enough = [one for one in content.recordings if self._is_long_enough(one, path)]
        if not long_enough:
            return
        labels = dict(content.labels)
        if self._known is not None:
            long_enough = [
                one.named(one.key, self._known.of(Path(one.key).as_posix())) for one in long_enough
            ]
            labels |= self._known.labels
        windows = SlidingWindows(
            [self._in_blocks(one) for one in long_enough],
            self._data.length,
            stride=self._stride,
            tail=self._tail,
            labels=labels,
            step_labels=content.step_labels,
        )
        meanings = {**labels, **content.step_labels}
        for start in range(0, len(windows), self._batch_size):
            read = windows.fetch(range(start, min(start + self._batch_size, len(windows))))
            numbers = {**read.labels, **read.step_labels}
            names = {name: class_names(meanings[name], value.numpy()) for name, value in numbers.items()}
            yield WindowBatch(0, replace(read, labels={}, step_labels={}), names)

    def _in_blocks(self, recording: Recording) -> Recording:
        """A recording that reads what a batch of windows needs in one go, unless steps between them are not needed."""
        length, stride = self._data.length, self._stride or self._data.length
        if isinstance(recording, Clip) or stride > length:
            return recording
        span = (self._batch_size - 1) * stride + length
        return BlockRecording(key=recording.key, labels=recording.labels, source=recording, span=span)

    def _is_long_enough(self, recording: Recording, path: Path) -> bool:
        if recording.steps >= self._data.min_length:
            return True
        detail = f"{recording.key}: {recording.steps} steps, min_length is {self._data.min_length}"
        self._left_out.append(LeftOut(path, "short", detail))
        return False


def _count(parts: Sequence[WindowBatch]) -> int:
    return sum(len(part.sequences) for part in parts if part.sequences is not None)


def _rows(batch: WindowBatch, rows: slice) -> WindowBatch:
    """Some windows of a batch; the first of them tell what was left out."""
    if batch.sequences is None:
        return batch
    return WindowBatch(
        batch.first,
        batch.sequences[rows],
        {name: value[rows] for name, value in batch.labels.items()},
        batch.left_out if rows.start is None else (),
    )
