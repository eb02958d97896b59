"""The recordings of a folder of the user's own files, with their labels, and what was left out."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.discovery import Found, LeftOut, describe_left_out, find_inputs
from seqdis.core.data.folder_labels import LABELS_FILE, read_folder_labels
from seqdis.core.data.labels import Label, label_of
from seqdis.core.data.latent_cache import LatentCache, open_latents
from seqdis.core.data.packed_recording import PackedRecording
from seqdis.core.data.recording import Recording
from seqdis.core.data.tar_shards import container_of, labels_of
from seqdis.core.data.unpacked_files import unpack
from seqdis.core.errors import InputError
from seqdis.core.executors.shard_folder import is_shard_folder
from seqdis.core.printable_names import printable
from seqdis.core.reading import readable

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["FolderContent", "folder_content", "open_recordings"]

LISTED = 5
"""Number of damaged files that an error describes before it counts the rest."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FolderContent:
    """The recordings of some files.

    Attributes:
        recordings: The recordings that are long enough, in the order of their keys.
        left_out: Files and recordings that are not used, and why.
        labels: The meaning of the labels of whole recordings.
        step_labels: The meaning of the labels of single steps.
    """

    recordings: tuple[Recording, ...]
    left_out: tuple[LeftOut, ...]
    labels: Mapping[str, Label]
    step_labels: Mapping[str, Label]


def open_recordings(
    modality: Modality, found: Found, data: DataConfig, root: Path | None = None
) -> FolderContent:
    """Open files; the keys of their recordings are the paths below ``root``.

    Args:
        modality: The modality that reads them.
        found: The files that are opened.
        data: The data settings; ``skip_bad`` and ``min_length`` say what is left out.
        root: The folder below which the keys name the files; the files' own names when omitted.

    Raises:
        InputError: Files cannot be used and ``skip_bad`` is off; the message describes the first ones. Or nothing
            is left, a recording lacks a label that others have, or frames differ in shape from ``data``.
    """
    recordings: list[Recording] = []
    left_out, damaged = list(found.left_out), list[LeftOut]()
    for path in found.paths:
        try:
            opened = _open(modality, path, data, root)
        except InputError as error:
            damaged.append(LeftOut(path, "damaged", str(error).removeprefix(f"{path}: ")))
            continue
        for recording in opened:
            if recording.steps < data.min_length:
                steps = f"{recording.key}: {recording.steps} steps, min_length is {data.min_length}"
                left_out.append(LeftOut(path, "short", steps))
            else:
                recordings.append(recording)
    if damaged and not data.skip_bad:
        raise InputError(_of_damaged(damaged, len(found.paths)))
    left_out += damaged
    if not recordings:
        beside = "; ".join(describe_left_out(left_out))
        raise InputError(f"{root or found.paths[0]}: no recording is left: {beside}")
    return FolderContent(
        tuple(recordings),
        tuple(left_out),
        labels=_meanings(recordings, steps=False),
        step_labels=_meanings(recordings, steps=True),
    )


def _open(modality: Modality, path: Path, data: DataConfig, root: Path | None) -> list[Recording]:
    home = root if root is not None and root in path.parents else container_of(path).parent
    name = str(path.relative_to(home))
    file = unpack(path)
    try:
        with readable(file, f"a {modality.name} file"):
            recordings = list(modality.open(file, data))
    except InputError as error:
        raise InputError(str(error).replace(str(file), str(path))) from error
    for recording in recordings:
        if data.frame_shape and recording.frame_shape != data.frame_shape:
            raise InputError(
                f"{path}: frames of shape {recording.frame_shape}; the model takes {data.frame_shape}"
            )
        if isinstance(recording, Clip):  # what is not in memory is checked where it is read
            recording.check()
    named = [one.named(printable(name + one.key.removeprefix(file.name))) for one in recordings]
    if file == path:
        return named
    labels = labels_of(path, data.label_fields)
    return [
        one.named(one.key, labels)
        if one.in_memory
        else PackedRecording(
            key=one.key, labels={**(one.labels or {}), **labels} or None, source=one, path=path
        )
        for one in named
    ]


def _of_damaged(damaged: Sequence[LeftOut], total: int) -> str:
    if len(damaged) == 1 and total == 1:
        return f"{damaged[0].path}: {damaged[0].detail}"
    shown = "; ".join(f"{left.path}: {left.detail}" for left in damaged[:LISTED])
    more = len(damaged) - LISTED
    return (
        f"{len(damaged)} of {total} files cannot be used (skip_bad=true, or --skip-bad, leaves them out): {shown}"
        + (f"; and {more} more" if more > 0 else "")
    )


def _meanings(recordings: Sequence[Recording], *, steps: bool) -> dict[str, Label]:
    """The meaning of each label, with the classes that occur in order; numbers in names count as numbers."""
    names = list(recordings[0].step_labels if steps else recordings[0].labels or {})
    for recording in recordings:
        own = list(recording.step_labels if steps else recording.labels or {})
        if sorted(own) != sorted(names):
            raise InputError(
                f"{recording.key}: labels {own or 'none'}; those of {recordings[0].key} are {names or 'none'}"
            )
    classes: dict[str, set[str]] = {name: set() for name in names}
    for recording in recordings:
        for name in names:
            if steps:
                classes[name] |= set(np.unique(recording.whole().steps_labelled[name]).tolist())
            else:
                classes[name].add((recording.labels or {})[name])
    return {name: label_of(values, "dynamic" if steps else "static") for name, values in classes.items()}


def folder_content(modality: Modality, data: DataConfig, root: Path) -> FolderContent:
    """The recordings below a folder, with the labels of its ``labels.json`` if there is one.

    What was read last is kept, for the splits of one folder are asked for one after the other. What is left out is
    logged, a line a reason. A folder of latents has the recordings and labels of the files that it was made from.

    Raises:
        InputError: The folder is missing or holds nothing readable; see :func:`open_recordings`.
    """
    if is_shard_folder(root):
        return _content_of_latents(open_latents(root), data.min_length)
    found = find_inputs(modality, [root])
    versions = tuple(_version(path) for path in (*found.paths, root / LABELS_FILE))
    return _read_once(modality, data.model_dump_json(), root, found, versions)


def _version(path: Path) -> tuple[int, int]:
    path = container_of(path)
    if not path.exists():
        return (0, 0)
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=2)
def _read_once(
    modality: Modality, settings: str, root: Path, found: Found, versions: tuple[tuple[int, int], ...]
) -> FolderContent:
    content = open_recordings(modality, found, DataConfig.model_validate_json(settings), root)
    for line in describe_left_out(content.left_out):
        _logger.warning("%s: left out: %s", root, line)
    known = read_folder_labels(root)
    if known is None:
        return content
    recordings = tuple(one.named(one.key, known.of(Path(one.key).as_posix())) for one in content.recordings)
    return replace(content, recordings=recordings, labels={**content.labels, **known.labels})


def _content_of_latents(cache: LatentCache, min_length: int) -> FolderContent:
    recordings = tuple(one for one in cache.recordings if one.steps >= min_length)
    left_out = [*cache.left_out]
    for one in cache.recordings:
        if one.steps < min_length:
            steps = f"{one.key}: {one.steps} steps, min_length is {min_length}"
            left_out.append(LeftOut(cache.files / one.key, "short", steps))
    if not recordings:
        raise InputError(f"{cache.folder}: no recording is left: {'; '.join(describe_left_out(left_out))}")
    return FolderContent(recordings, tuple(left_out), labels=cache.labels, step_labels=cache.step_labels)
