"""Cutting recordings of any length into sequences of V steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.data.sequence import ArraySequences, Label, SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences, check_finite

__all__ = ["Clip", "RandomWindows", "sliding_windows", "window_starts"]


@dataclass(frozen=True)
class Clip:
    """One recording as it was read from a file.

    Attributes:
        frames: ``(T, *frame)``, floating point, or uint8 that stands for ``frames / 255``.
        key: The name of the recording, usually the file's path below its folder.
        observed: True where an entry was measured, shaped like ``frames``, or None: everywhere.
        labels: Integer labels of the recording.
    """

    frames: Tensor
    key: str
    observed: Tensor | None = None
    labels: Mapping[str, int] | None = None


def _check_length(clip: Clip, length: int) -> None:
    if len(clip.frames) < length:
        raise InputError(f"{clip.key}: has {len(clip.frames)} steps; at least {length} are needed")
    if clip.frames.is_floating_point():
        check_finite(clip.frames, clip.key)


def _seen(clip: Clip) -> Tensor:
    # Expanded, not filled: a recording without gaps costs one byte.
    return (
        torch.ones((), dtype=torch.bool).expand(clip.frames.shape) if clip.observed is None else clip.observed
    )


def window_starts(total: int, length: int, stride: int) -> list[int]:
    """First steps of the windows ``[i·stride, i·stride + length)`` that fit into ``total`` steps.

    Raises:
        InputError: ``length`` or ``stride`` is not positive.
    """
    if length < 1 or stride < 1:
        raise InputError(f"windows need length ≥ 1 and stride ≥ 1; got {length} and {stride}")
    return list(range(0, total - length + 1, stride))


def sliding_windows(
    clips: Sequence[Clip],
    length: int,
    *,
    stride: int | None = None,
    labels: Mapping[str, Label] | None = None,
) -> ArraySequences:
    """Every window of ``length`` steps at the given stride (``length`` when omitted), in order.

    The key of a window is the clip's key, with ``@start`` where a clip gives more than one.

    Raises:
        InputError: There is no clip, or one is shorter than ``length``.
    """
    x, observed, keys, rows = [], [], [], []
    for clip in clips:
        _check_length(clip, length)
        starts = window_starts(len(clip.frames), length, stride or length)
        for start in starts:
            x.append(clip.frames[start : start + length])
            observed.append(_seen(clip)[start : start + length])
            keys.append(clip.key if len(starts) == 1 else f"{clip.key}@{start}")
            rows.append(clip.labels or {})
    if not x:
        raise InputError("windows need at least one recording; got none")
    targets = {name: torch.tensor([row[name] for row in rows]) for name in labels or {}}
    seen = torch.stack(observed) if any(clip.observed is not None for clip in clips) else None
    return ArraySequences(torch.stack(x), labels=labels, targets=targets, keys=keys, observed=seen)


class RandomWindows(SequenceDataset):
    """A fresh view of ``length`` steps of each recording in every epoch.

    Args:
        clips: The recordings.
        length: Steps of a view, V.
        pick: ``"window"`` cuts consecutive steps; ``"spread"`` draws any steps and keeps their
            order (DiffSDA, App. D: "we randomly select 15 frames from the original sequences").
        seed: Together with epoch and index it fixes the view.
        repeats: How often each recording is visited in an epoch (DiffSDA, Tab. 6).

    Raises:
        InputError: There is no clip, or one is shorter than ``length``.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        length: int,
        *,
        pick: Literal["window", "spread"] = "window",
        seed: int = 0,
        repeats: int = 1,
        labels: Mapping[str, Label] | None = None,
    ) -> None:
        if not clips:
            raise InputError("windows need at least one recording; got none")
        for clip in clips:
            _check_length(clip, length)
        self.labels = dict(labels or {})
        self._clips, self._length, self._pick = list(clips), length, pick
        self._seed, self._repeats = seed, repeats
        # One recording with a gap is enough: every batch then says what was measured.
        self._masked = any(clip.observed is not None for clip in self._clips)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self._length, *self._clips[0].frames.shape[1:])

    def __len__(self) -> int:
        return len(self._clips) * self._repeats

    def _view(self, index: int, epoch: int) -> View:
        recording = index % len(self._clips)
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, index))
        total = len(self._clips[recording].frames)
        if self._pick == "spread":
            return View(recording, torch.randperm(total, generator=generator)[: self._length].sort().values)
        start = int(torch.randint(total - self._length + 1, (), generator=generator))
        return View(recording, torch.arange(start, start + self._length))

    def recordings(self) -> Recordings:
        """The clips."""
        return Recordings(
            count=len(self._clips),
            read=lambda index: self._clips[index],
            views=lambda indices, epoch: [self._view(index, epoch) for index in indices],
            fingerprint=lambda: digest([part for clip in self._clips for part in (clip.key, clip.frames)]),
        )

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        x, observed, clips = [], [], []
        for view in (self._view(index, epoch) for index in indices):
            clip = self._clips[view.recording]
            frames = clip.frames[view.steps]
            x.append(frames.float() / 255 if frames.dtype == torch.uint8 else frames.float())
            observed.append(_seen(clip)[view.steps])
            clips.append(clip)
        return Sequences(
            x=torch.stack(x),
            observed=torch.stack(observed) if self._masked else None,
            labels={n: torch.tensor([(c.labels or {})[n] for c in clips]) for n in self.labels},
            keys=[clip.key for clip in clips],
        )
