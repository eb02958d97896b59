"""The user's own files as sequences of the model's length."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.config import DataConfig
from seqdis.core.data.discovery import Found, describe_left_out, find_inputs
from seqdis.core.data.folder_content import open_recordings
from seqdis.core.data.recording import Recording
from seqdis.core.data.recording_part import part_in_time
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.data.tar_shards import container_of, packed_file
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["expand", "open_one", "read_first", "single_input"]

_logger = logging.getLogger(__name__)


def expand(modality: Modality, inputs: Sequence[Path]) -> tuple[list[Path], Path]:
    """All inputs below the given ones, each once and in order, and the folder that their keys start from.

    Raises:
        InputError: An input is missing or cannot be read, as in :func:`find_inputs`.
    """
    found = find_inputs(modality, inputs)
    for line in describe_left_out(found.left_out):
        _logger.warning("left out: %s", line)
    paths = list(found.paths)
    # A folder of frames is one input and named by itself; any other folder is where keys begin.
    roots = [path if path.is_dir() and path not in paths else path.parent for path in inputs]
    absolute = os.path.commonpath([path.absolute() for path in roots])
    if all(not path.is_absolute() for path in roots):
        return paths, Path(os.path.relpath(absolute))
    return [path.absolute() for path in paths], Path(absolute)


def single_input(modality: Modality, path: Path, option: str) -> Path:
    """The one input file that ``path`` is, or that the folder ``path`` holds.

    ``FILE#NAME`` is one recording of a file that holds several.

    Raises:
        InputError: The folder holds several inputs, or none that can be read (:func:`find_inputs`).
    """
    file, name = _part_of_file(path)
    if name is not None:
        find_inputs(modality, [file])
        return path
    paths = find_inputs(modality, [path]).paths
    if len(paths) > 1:
        raise InputError(f"{option} {path}: holds {len(paths)} inputs; exactly one is needed")
    return paths[0]


def open_one(modality: Modality, path: Path, data: DataConfig) -> Recording:
    """The one recording that an input holds, or that ``FILE#NAME`` names.

    Raises:
        InputError: The input cannot be used, holds several recordings, or none of that name.
    """
    settings = data.model_copy(update={"min_length": 1, "skip_bad": False})
    file, name = _part_of_file(path)
    recordings = open_recordings(modality, Found((file,), ()), settings).recordings
    names = [one.key.removeprefix(file.name).removeprefix("#") for one in recordings]
    if name is not None:
        if name not in names:
            some = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
            raise InputError(
                f"{file}: holds no recording {name!r}; allowed: one of its {len(names)} ({some})"
            )
        return recordings[names.index(name)]
    if len(recordings) > 1:
        raise InputError(
            f"{path}: holds {len(recordings)} recordings; exactly one is needed, such as {path}#{names[0]}"
        )
    return recordings[0]


def _part_of_file(path: Path) -> tuple[Path, str | None]:
    """The file, and the name of one of its recordings where ``path`` is ``FILE#NAME``."""
    shard = container_of(path)
    if packed_file(path) is not None:
        return path, None
    if shard != path:
        inside, mark, name = str(path)[len(str(shard)) + 1 :].partition("#")
        return Path(f"{shard}#{inside}"), name if mark else None
    file, mark, name = str(path).partition("#")
    return (Path(file), name) if mark and not path.exists() and Path(file).is_file() else (path, None)


def read_first(
    modality: Modality, path: Path, data: DataConfig, *, start: int = 0, frames: int | None = None
) -> Sequences:
    """Steps ``[start, start + V)`` of one input, as far as it goes, as a batch of one sequence.

    Args:
        modality: Modality that reads the file.
        path: The file or folder to read.
        data: The run's data settings; its length is V unless ``frames`` is given.
        start: The first step to take.
        frames: Number of steps to take, all of which must be there.

    Raises:
        InputError: The input cannot be used, or ends before step ``start``, or ``start + frames`` where these are
            given.
    """
    recording = open_one(modality, path, data)
    needed = start + (frames or 1)
    if recording.steps < needed:
        raise InputError(f"{path}: has {recording.steps} steps; at least {needed} are needed")
    stop = min(start + (frames or data.length), recording.steps)
    return SlidingWindows([part_in_time(recording, start, stop)], stop - start).fetch([0])
