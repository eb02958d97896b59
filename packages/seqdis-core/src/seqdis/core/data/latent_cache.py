"""A folder of latents: what ``seqdis data encode`` leaves and a training reads."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqdis.core.data.discovery import LeftOut
from seqdis.core.data.labels import Label
from seqdis.core.data.latent_recording import LatentRecording
from seqdis.core.data.tar_shards import is_there
from seqdis.core.errors import InputError
from seqdis.core.executors.shard_folder import INDEX_FILE, is_shard_folder, read_index
from seqdis.core.reading import readable

__all__ = ["ENCODED_DATA", "LatentCache", "files_behind", "open_latents"]

ENCODED_DATA = "data encode"
"""The name of the job whose shards are latents."""


@dataclass(frozen=True)
class LatentCache:
    """The frames of a folder of files, coded once by a frozen codec.

    Attributes:
        folder: The folder of the latents.
        files: Absolute path of the folder of files that they were made from.
        modality: The name of the modality that read the files.
        codec: Settings of the codec, and ``fingerprint``: a hash of its weights.
        asked: The data settings that decide what a frame is, as they were asked for.
        settings: These settings, with the open ones filled in from the files.
        inputs: A hash of the names, sizes and times of change of the files.
        latent_shape: The shape of a coded frame.
        mean: Mean of the latents at each index of their first dimension, ``(C,)``, float64.
        std: Standard deviation of the latents, ``(C,)``, float64.
        recordings: The recordings, in the order of their keys.
        labels: The meaning of the labels of whole recordings.
        step_labels: The meaning of the labels of single steps.
        left_out: Files that were not used, and why.
    """

    folder: Path
    files: Path
    modality: str
    codec: Mapping[str, Any]
    asked: Mapping[str, Any]
    settings: Mapping[str, Any]
    inputs: str
    latent_shape: tuple[int, ...]
    mean: Tensor
    std: Tensor
    recordings: Sequence[LatentRecording]
    labels: Mapping[str, Label]
    step_labels: Mapping[str, Label]
    left_out: Sequence[LeftOut]


def open_latents(folder: Path) -> LatentCache:
    """Read the index of a folder of latents; the one that was read last is kept.

    Raises:
        InputError: The folder holds something else, or some of its shards are missing.
    """
    try:
        written = (folder / INDEX_FILE).stat().st_mtime_ns
    except OSError as error:
        raise InputError(f"{folder / INDEX_FILE}: cannot be read: {error.strerror}") from error
    return _open(folder, written)


@functools.lru_cache(maxsize=2)
def _open(folder: Path, written: int) -> LatentCache:
    index = read_index(folder)
    with readable(folder / INDEX_FILE, "an index of latents"):
        return _of_index(folder, index)


def _of_index(folder: Path, index: dict[str, Any]) -> LatentCache:
    if index["job"] != ENCODED_DATA:
        raise InputError(
            f"{folder}: holds what seqdis {index['job']} made; allowed: latents, made by seqdis {ENCODED_DATA}"
        )
    if not index["finished"]:
        there = len(list(folder.glob("[0-9]*.safetensors")))
        raise InputError(
            f"{folder}: {there} of {index['shards']} shards are there; the same seqdis {ENCODED_DATA} goes on"
        )
    labels, latent_shape = index["labels"], tuple(index["latent_shape"])
    recordings = []
    number = 0
    for shard in index["contents"]:
        path, first = folder / shard["file"], 0
        for held in shard["recordings"]:
            classes = {name: label["classes"][label["of"][number]] for name, label in labels.items()}
            recordings.append(
                LatentRecording(
                    key=held["key"],
                    path=path,
                    first=first,
                    count=held["steps"],
                    latent_shape=latent_shape,
                    labels=classes or None,
                    names=tuple(index["step_labels"]),
                    stamps=held.get("stamps"),
                )
            )
            first, number = first + _steps_of(held), number + 1
        _check_shard(path, first, latent_shape)
    return LatentCache(
        folder=folder,
        files=Path(index["files"]),
        modality=index["modality"],
        codec=index["codec"],
        asked=index["asked"],
        settings=index["settings"],
        inputs=index["made_from"]["inputs"],
        latent_shape=latent_shape,
        mean=torch.tensor(index["mean"], dtype=torch.float64),
        std=torch.tensor(index["std"], dtype=torch.float64),
        recordings=tuple(recordings),
        labels={n: Label(tuple(label["classes"]), label["factor"]) for n, label in labels.items()},
        step_labels={n: Label(tuple(classes), "dynamic") for n, classes in index["step_labels"].items()},
        left_out=tuple(
            LeftOut(Path(left["path"]), left["reason"], left["detail"]) for left in index["left_out"]
        ),
    )


def _steps_of(held: Mapping[str, Any]) -> int:
    steps = held["steps"]
    if type(steps) is not int or steps < 1:
        raise ValueError(f"recording {held['key']!r} has {steps!r} steps")
    return steps


def _check_shard(path: Path, steps: int, latent_shape: tuple[int, ...]) -> None:
    """Refuse an index that tells of more than its file can hold, of which every number has a byte at least."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if steps * math.prod(latent_shape) > size:
        raise InputError(
            f"{path}: {size} bytes; its index tells of {steps} steps of frames of shape {latent_shape}"
        )


def files_behind(root: Path) -> Path:
    """The files that a folder of latents was made from; any other folder of data is returned as it is.

    Raises:
        InputError: These files are not there any more.
    """
    if not is_shard_folder(root):
        return root
    cache = open_latents(root)
    if not is_there(cache.files):
        raise InputError(
            f"{root}: holds latents of {cache.files}, which is not there any more; "
            "name the files themselves by --data FOLDER"
        )
    return cache.files
