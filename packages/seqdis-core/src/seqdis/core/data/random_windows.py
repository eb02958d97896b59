"""Random windows: a new view of each recording in every epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences

__all__ = ["RandomWindows"]


class RandomWindows(SequenceDataset):
    """A dataset that gives a new random view of ``length`` steps of each recording in every epoch.

    Args:
        clips: The recordings to cut views from.
        length: Number of steps of a view, V.
        pick: ``"window"`` cuts consecutive steps; ``"spread"`` draws any steps and keeps their
            order (DiffSDA, App. D: "we randomly select 15 frames from the original sequences").
        seed: Seed that, with the epoch and the index, fixes the view.
        repeats: Number of times that each recording is visited in an epoch (DiffSDA, Tab. 6).

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
            clip.check_length(length)
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
        """The clips that the views are cut from."""
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
            observed.append(clip.observed_entries()[view.steps])
            clips.append(clip)
        return Sequences(
            x=torch.stack(x),
            observed=torch.stack(observed) if self._masked else None,
            labels={n: torch.tensor([(c.labels or {})[n] for c in clips]) for n in self.labels},
            keys=[clip.key for clip in clips],
        )
