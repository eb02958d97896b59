"""A folder of the user's own files as a dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import sliding_windows
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["find_inputs", "folder_sequences", "read_clip"]


def find_inputs(modality: Modality, inputs: Sequence[Path]) -> list[Path]:
    """Expand files and folders into the inputs that the modality reads, sorted.

    A folder that holds other folders or readable files is searched; one that holds frames only,
    of a modality that reads folders, is one input.

    Raises:
        InputError: An input is missing or of an unknown kind, or nothing was found.
    """
    paths: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        if path.is_dir():
            files = _search(modality, path)
            if not files:
                raise InputError(
                    f"{path}: holds no file that {modality.name} reads; known: {_known(modality)}"
                )
            paths += files
        elif _readable(modality, path):
            paths.append(path)
        else:
            raise InputError(
                f"{path}: unknown kind of file {path.suffix!r}; {modality.name} reads: {_known(modality)}"
            )
    return paths


def _known(modality: Modality) -> str:
    return ", ".join("folders of images" if kind == "/" else kind for kind in modality.reads)


def _readable(modality: Modality, path: Path) -> bool:
    return path.name.lower().endswith(tuple(kind for kind in modality.reads if kind != "/"))


def _search(modality: Modality, folder: Path) -> list[Path]:
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    files = [p for p in entries if p.is_file() and _readable(modality, p)]
    folders = [path for p in entries if p.is_dir() for path in _search(modality, p)]
    if not files and not folders and "/" in modality.reads and modality.is_frame_folder(folder):
        return [folder]
    return sorted(files + folders)


def read_clip(modality: Modality, path: Path, data: DataConfig, root: Path | None = None) -> Clip:
    """Read one input; its key is the path below ``root``; bytes where the modality allows them.

    Raises:
        InputError: The file cannot be used, or holds another frame shape than ``data`` says.
    """
    clip = modality.read(path, data)
    if tuple(clip.frames.shape[1:]) != data.frame_shape:
        raise InputError(
            f"{path}: frames of shape {tuple(clip.frames.shape[1:])}; the model takes {data.frame_shape}"
        )
    frames = clip.frames
    if modality.uint8_storage and frames.is_floating_point():
        frames = (frames.clamp(0, 1) * 255).round().to(torch.uint8)
    key = str(path.relative_to(root)) if root is not None and root in path.parents else path.name
    return replace(clip, frames=frames, key=key)


def _split_of(key: str) -> str:
    # By the name's hash: a file stays in its split when others come or go.
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32
    return "train" if share < 0.8 else "val" if share < 0.9 else "test"


def folder_sequences(
    modality: Modality, data: DataConfig, split: str, root: Path, *, seed: int = 0
) -> SequenceDataset:
    """The files below ``root`` as sequences: fresh random views for training, all windows otherwise.

    The split comes from sub-folders named train, val and test where ``root`` has a ``train``;
    otherwise from a hash of each file's name (80/10/10), or, with fewer than ten files or where
    that leaves a split empty, from time: every recording's first 80% of steps train, the next 10% validate, the last 10% test
    (as far as they hold a whole sequence; a short recording serves every split).

    Labels come from ``root/labels.json`` where there is one; see
    :func:`~seqdis.core.data.folder_labels.read_folder_labels`.

    Raises:
        InputError: The folder is missing or holds nothing readable; a file cannot be used or is
            shorter than one sequence, or has no labels where others do.
    """
    known, top = read_folder_labels(root), root
    if (root / "train").is_dir():
        if not (root / split).is_dir():
            raise InputError(f"{root}: has a folder 'train' but none named {split!r}")
        root = root / split
        paths = find_inputs(modality, [root])
        clips = [read_clip(modality, path, data, root) for path in paths]
    else:
        paths = find_inputs(modality, [root])
        splits = {path: _split_of(str(path.relative_to(root))) for path in paths}
        # All splits in one way: a file that trains whole must not be cut in time for the test.
        if len(paths) >= 10 and len(set(splits.values())) == 3:
            clips = [read_clip(modality, path, data, root) for path in paths if splits[path] == split]
        else:
            clips = [
                _cut_in_time(read_clip(modality, path, data, root), split, data.length) for path in paths
            ]
    labels = None
    if known is not None:
        labels, below = known.labels, root.relative_to(top)
        clips = [replace(clip, labels=known.of((below / clip.key).as_posix())) for clip in clips]
    if split == "train":
        return RandomWindows(
            clips, data.length, pick=data.pick, seed=seed, repeats=data.repeats, labels=labels
        )
    return sliding_windows(clips, data.length, labels=labels)


def _cut_in_time(clip: Clip, split: str, length: int) -> Clip:
    total = len(clip.frames)
    bounds = {"train": (0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}[split]
    first, last = (round(total * share) for share in bounds)
    if last - first < length:
        return clip
    observed = None if clip.observed is None else clip.observed[first:last]
    return replace(clip, frames=clip.frames[first:last], observed=observed)
