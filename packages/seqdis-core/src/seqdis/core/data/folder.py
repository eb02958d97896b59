"""A folder of the user's own files as a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.config import DataConfig
from seqdis.core.data.folder_content import folder_content
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.data.splits import split_recordings
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["folder_sequences", "has_split"]


def has_split(modality: Modality, data: DataConfig, split: str, root: Path) -> bool:
    """Whether a folder has recordings for a split; where folders name the splits, one of them may be missing."""
    recordings = folder_content(modality, data, root).recordings
    return split in split_recordings(recordings, length=data.length, group=data.group).parts


def folder_sequences(
    modality: Modality, data: DataConfig, split: str, root: Path, *, seed: int = 0
) -> SequenceDataset:
    """The files below ``root`` as sequences: fresh random views for training, all windows otherwise.

    :func:`~seqdis.core.data.splits.split_recordings` says which recordings belong to which split; labels come from
    the files themselves and from ``root/labels.json``, see
    :func:`~seqdis.core.data.folder_labels.read_folder_labels`.

    Args:
        modality: The modality that reads the files.
        data: The data settings of the run.
        split: ``"train"``, ``"val"`` or ``"test"``.
        root: The folder that holds the files.
        seed: Seed of the random views.

    Raises:
        InputError: The folder is missing or holds nothing readable; a file cannot be used; a recording has no
            labels where others do; or there is no folder of this split beside ``train``.
    """
    content = folder_content(modality, data, root)
    splits = split_recordings(content.recordings, length=data.length, group=data.group)
    if split not in splits.parts:
        raise InputError(f"{root}: has a folder 'train' but none named {split!r}")
    recordings = splits.parts[split]
    if split == "train":
        return RandomWindows(
            recordings,
            data.length,
            pick=data.pick,
            seed=seed,
            repeats=data.repeats,
            labels=content.labels,
            step_labels=content.step_labels,
        )
    return SlidingWindows(recordings, data.length, labels=content.labels, step_labels=content.step_labels)
