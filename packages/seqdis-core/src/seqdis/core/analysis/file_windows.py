"""Windows of files, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.config import DataConfig
from seqdis.core.data.folder import read_clip
from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.labels import Label
from seqdis.core.data.sliding_windows import sliding_windows
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["FileWindows", "WindowBatch"]


@dataclass(frozen=True)
class WindowBatch:
    """Some windows that are encoded together.

    Attributes:
        first: Number of the first window among those of the same files.
        sequences: The windows, with their keys.
        labels: The meaning of the labels.
    """

    first: int
    sequences: Sequences
    labels: Mapping[str, Label]

    def pin_memory(self) -> WindowBatch:
        """The same in page-locked memory."""
        return replace(self, sequences=self.sequences.pin_memory())


class FileWindows:
    """Windows of files in the order of the files, as they are encoded.

    Args:
        modality: Modality that reads the files.
        data: The run's data settings.
        root: Folder below which the keys name the files; its ``labels.json`` is read where there is one.
        length: Steps of a window; those of the training sequences when omitted.
        stride: Steps from one window of a file to the next; no overlap when omitted.
        batch_size: Windows a batch.
    """

    def __init__(
        self,
        modality: Modality,
        data: DataConfig,
        root: Path,
        *,
        length: int | None = None,
        stride: int | None = None,
        batch_size: int = 64,
    ) -> None:
        self._modality, self._data, self._root = modality, data, root
        self._length, self._stride, self._batch_size = length or data.length, stride, batch_size
        self._known = read_folder_labels(root)

    def batches(self, paths: Sequence[Path]) -> Iterator[WindowBatch]:
        """The windows of some files; which of them share a batch depends on these files alone.

        Raises:
            InputError: A file cannot be used, or has no labels where others do.
        """
        labels = {} if self._known is None else self._known.labels
        parts: list[Sequences] = []
        first = held = 0
        for path in paths:
            for part in self._windows(path):
                parts.append(part)
                held += len(part)
                while held >= self._batch_size:
                    whole = Sequences.cat(parts)
                    yield WindowBatch(first, whole[: self._batch_size], labels)
                    first, held = first + self._batch_size, held - self._batch_size
                    parts = [whole[self._batch_size :]] if held else []
        if parts:
            yield WindowBatch(first, Sequences.cat(parts), labels)

    def _windows(self, path: Path) -> Iterator[Sequences]:
        clip = read_clip(self._modality, path, self._data, self._root)
        if self._known is not None:
            clip = replace(clip, labels=self._known.of(clip.key))
        labels = {} if self._known is None else self._known.labels
        windows = sliding_windows([clip], self._length, stride=self._stride, labels=labels)
        for start in range(0, len(windows), self._batch_size):
            yield windows.fetch(range(start, min(start + self._batch_size, len(windows))))
