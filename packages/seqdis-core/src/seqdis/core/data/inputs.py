"""The user's own files as sequences of the model's length."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.config import DataConfig
from seqdis.core.data.folder import find_inputs, read_clip
from seqdis.core.data.sliding_windows import sliding_windows
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["expand", "read_first", "single_input"]


def expand(modality: Modality, inputs: Sequence[Path]) -> tuple[list[Path], Path]:
    """All inputs below the given ones, each once and in order, and the folder that their keys start from.

    Raises:
        InputError: An input is missing or cannot be read, as in :func:`find_inputs`.
    """
    paths = list(dict.fromkeys(find_inputs(modality, inputs)))
    # A folder of frames is one input and named by itself; any other folder is where keys begin.
    roots = [path if path.is_dir() and path not in paths else path.parent for path in inputs]
    absolute = os.path.commonpath([path.absolute() for path in roots])
    if all(not path.is_absolute() for path in roots):
        return paths, Path(os.path.relpath(absolute))
    return [path.absolute() for path in paths], Path(absolute)


def single_input(modality: Modality, path: Path, option: str) -> Path:
    """The one input file that ``path`` is, or that the folder ``path`` holds.

    Raises:
        InputError: The folder holds several inputs, or none that can be read (:func:`find_inputs`).
    """
    paths = find_inputs(modality, [path])
    if len(paths) > 1:
        raise InputError(f"{option} {path}: holds {len(paths)} inputs; exactly one is needed")
    return paths[0]


def read_first(
    modality: Modality, path: Path, data: DataConfig, *, start: int = 0, shorter: bool = False
) -> Sequences:
    """Steps ``[start, start + V)`` of one input as a batch of one sequence.

    Args:
        modality: Modality that reads the file.
        path: The file or folder to read.
        data: The run's data settings; its length is V.
        start: The first step to take.
        shorter: Whether an input that ends before step ``start + V`` is accepted, as far as it goes.

    Raises:
        InputError: The input cannot be used, or ends before step ``start + V``.
    """
    clip = read_clip(modality, path, data)
    needed = start + (1 if shorter else data.length)
    if len(clip.frames) < needed:
        raise InputError(f"{path}: has {len(clip.frames)} steps; at least {needed} are needed")
    stop = min(start + data.length, len(clip.frames))
    observed = None if clip.observed is None else clip.observed[start:stop]
    window = replace(clip, frames=clip.frames[start:stop], observed=observed)
    return sliding_windows([window], stop - start).fetch([0])
