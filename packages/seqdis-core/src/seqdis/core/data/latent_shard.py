"""A file of latents: the coded frames of some recordings, one after another."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.running_moments import RunningMoments
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_tensors
from seqdis.core.reading import readable
from seqdis.core.sequences import NO_CLASS

__all__ = ["HeldRecording", "LatentShard", "open_shard", "write_shard"]

_FORMAT = "seqdis.latents.1"
_OPEN_FILES, _ROWS_AT_A_TIME = 64, 256


@dataclass(frozen=True)
class HeldRecording:
    """The description of one recording in a file of latents.

    Attributes:
        key: Name of the recording.
        steps: The number of its steps, T.
        stamps: Type of its time stamps; None where there are none.
        labels: The class of each label of the whole recording, by the label's name.
        step_labels: Names of the labels that every step has one of.
    """

    key: str
    steps: int
    stamps: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    step_labels: Sequence[str] = ()


class LatentShard:
    """An open file of latents, of which a few rows are read at a time; a row is a step of a recording.

    Args:
        path: The file, which :func:`write_shard` wrote.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with readable(path, "a file of latents"):
            # Nothing is read yet: the file is mapped into memory, and closed with this object.
            opener: Any = safe_open  # its stubs name no types
            self._file = opener(str(path), framework="pt")
            described = json.loads((self._file.metadata() or {})[_FORMAT])
            self._slices = {name: self._file.get_slice(name) for name in self._file.keys()}  # noqa: SIM118
            self.recordings = [HeldRecording(**values) for values in described["recordings"]]
            self.classes: dict[str, list[str]] = described["step_labels"]
            self.left_out: list[list[str]] = described["left_out"]
            self._moments: Mapping[str, list[float]] = described["moments"]

    @property
    def moments(self) -> RunningMoments:
        """Mean and variance of all latents at each index of their first dimension, ``(C,)``."""
        return RunningMoments(
            **{name: torch.tensor(values, dtype=torch.float64) for name, values in self._moments.items()}
        )

    @property
    def latent_shape(self) -> tuple[int, ...] | None:
        """The shape of a coded frame; None in a file without recordings."""
        return tuple(self._slices["latents"].get_shape()[1:]) if self.recordings else None

    def rows(self, name: str, rows: Tensor) -> Tensor:
        """Read some rows of ``"latents"`` or of another tensor, numbers in increasing order ``(K,)``.

        Raises:
            InputError: The file is cut short or holds no such rows.
        """
        breaks = (rows.diff() != 1).nonzero().flatten() + 1
        runs = rows.tensor_split(breaks.tolist())
        with readable(self.path, "a file of latents"):
            parts = [self._slices[name][int(run[0]) : int(run[-1]) + 1] for run in runs if len(run)]
            # One run is a view of the mapped file, whose pages would stay: a copy is as long as what was asked for.
            return torch.cat(parts) if parts else self._slices[name][:0]


def open_shard(path: Path) -> LatentShard:
    """Open a file of latents; the files that were read last stay open, in each process its own.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path}: a file of latents is missing: {error.strerror}") from error
    return _opened(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=_OPEN_FILES)
def _opened(path: Path, written: int, size: int) -> LatentShard:
    return LatentShard(path)


def write_shard(path: Path, clips: Sequence[Clip], *, left_out: Sequence[Sequence[str]] = ()) -> None:
    """Write the latents of some recordings, as float16, to a file that appears whole or not at all.

    Args:
        path: Path of the file.
        clips: The recordings, their frames coded; none where all that was asked for was left out.
        left_out: Files that were not used: path, reason and detail of each.

    Raises:
        InputError: The disk is full.
    """
    held = [_described(clip) for clip in clips]
    names = sorted({name for one in held for name in one.step_labels})
    classes = {
        name: sorted(
            {text for clip in clips for text in clip.steps_labelled.get(name, np.array([])).tolist()}
        )
        for name in names
    }
    tensors: dict[str, Tensor] = {}
    moments = RunningMoments.none((0,))
    if clips:
        latents = torch.empty(sum(one.steps for one in held), *clips[0].frame_shape, dtype=torch.float16)
        moments, first = RunningMoments.none((latents.shape[1], 1)), 0
        for clip in clips:
            rows = latents[first : first + clip.steps]
            rows.copy_(clip.frames)
            first += clip.steps
            for part in rows.flatten(1).unflatten(1, (rows.shape[1], -1)).split(_ROWS_AT_A_TIME):
                moments = moments.joined(RunningMoments.of(part, [0, 2]))
        tensors["latents"] = latents
    if any(one.stamps is not None for one in held):
        tensors["stamps"] = torch.cat([_bits(clip.stamps, clip.steps) for clip in clips])
    for name in names:
        tensors[f"label.{name}"] = torch.cat([_numbers(clip, name, classes[name]) for clip in clips])
    described = {
        "recordings": [_plain(one) for one in held],
        "step_labels": classes,
        "moments": {name: getattr(moments, name).flatten().tolist() for name in ("count", "mean", "squares")},
        "left_out": [list(left) for left in left_out],
    }
    # One entry: safetensors writes several in an order that differs each time.
    replace_with_tensors(path, tensors, {_FORMAT: json.dumps(described)})


def _described(clip: Clip) -> HeldRecording:
    return HeldRecording(
        clip.key,
        clip.steps,
        None if clip.stamps is None else clip.stamps.dtype.str,
        dict(clip.labels or {}),
        list(clip.step_labels),
    )


def _plain(held: HeldRecording) -> dict[str, Any]:
    """The fields that say something, by name."""
    return {name: value for name, value in vars(held).items() if value or name in ("key", "steps")}


def _bits(stamps: np.ndarray | None, steps: int) -> Tensor:
    """Time stamps of any type as integers of 64 bits, to be read as that type again."""
    if stamps is None:
        return torch.zeros(steps, dtype=torch.int64)
    wide = stamps.astype(np.float64) if stamps.dtype.kind == "f" else stamps
    wide = wide.astype(np.int64) if wide.dtype.kind in "iu" else wide
    return torch.from_numpy(np.ascontiguousarray(wide).view(np.int64).copy())


def _numbers(clip: Clip, name: str, classes: Sequence[str]) -> Tensor:
    given = clip.steps_labelled.get(name)
    if given is None:
        return torch.full((clip.steps,), NO_CLASS)
    return torch.from_numpy(np.searchsorted(np.array(classes, dtype=np.str_), given).astype(np.int64))
