"""Sequences read from their places in recordings, padded and masked where a recording is shorter."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from seqdis.core.data.clip import Clip, as_float
from seqdis.core.data.labels import Label
from seqdis.core.data.recording import Recording
from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.errors import InputError
from seqdis.core.sequences import NO_CLASS, Sequences
from seqdis.core.stamps import pad_stamps

__all__ = ["ViewReader"]


@dataclass(frozen=True)
class ViewReader:
    """Reads sequences of one length from recordings of any length.

    A sequence that its recording is too short for is padded with 0 at its end, and its mask says so. Every batch
    has a mask, marks of what was measured, or time stamps, if one recording calls for them.

    Attributes:
        recordings: The recordings, one or more, all of one frame shape.
        length: Number of steps of a sequence, V.
        labels: The meaning of each label of a sequence.
        step_labels: The meaning of each label of a step.

    Raises:
        InputError: There is no recording, their frames differ in shape, one has no class of a label, or a
            value in memory is not finite.
    """

    recordings: Sequence[Recording]
    length: int
    labels: Mapping[str, Label]
    step_labels: Mapping[str, Label]

    def __post_init__(self) -> None:
        if not self.recordings:
            raise InputError("windows need at least one recording; got none")
        if self.length < 1:
            raise InputError(f"windows need a length of 1 or more; got {self.length}")
        first = self.recordings[0]
        for recording in self.recordings:
            if isinstance(recording, Clip):  # what is not in memory is checked where it is read
                recording.check()
            if recording.frame_shape != first.frame_shape:
                raise InputError(
                    f"{recording.key}: frames of shape {recording.frame_shape}; those of {first.key} have "
                    f"{first.frame_shape}"
                )
            if recording.coded != first.coded:
                raise InputError(f"{recording.key} and {first.key}: one holds frames, the other one latents")
            for name, label in self.labels.items():
                received = (recording.labels or {}).get(name)
                if received not in label.classes:
                    raise InputError(
                        f"{recording.key}: label {name!r} is {received!r}; allowed: {', '.join(label.classes)}"
                    )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sequence, ``(V, *frame)``."""
        return (self.length, *self.recordings[0].frame_shape)

    @property
    def coded(self) -> bool:
        """Whether the recordings hold latents."""
        return self.recordings[0].coded

    @property
    def in_memory(self) -> bool:
        """Whether a sequence is read without opening a file."""
        return all(recording.in_memory for recording in self.recordings)

    @functools.cached_property
    def padded(self) -> bool:
        """Whether a recording is shorter than a sequence."""
        return any(recording.steps < self.length for recording in self.recordings)

    @functools.cached_property
    def has_gaps(self) -> bool:
        """Whether an entry of a recording may not have been measured."""
        return any(recording.has_gaps for recording in self.recordings)

    def label_values(self, views: Sequence[View]) -> dict[str, Tensor]:
        """The classes of the views' recordings, each ``(N,)``."""
        number = {name: {c: i for i, c in enumerate(label.classes)} for name, label in self.labels.items()}
        rows = [self.recordings[view.recording].labels or {} for view in views]
        return {name: torch.tensor([of[row[name]] for row in rows]) for name, of in number.items()}

    def described(self, views: Callable[[Sequence[int], int], list[View]]) -> Recordings:
        """The recordings, and where sequences lie in them.

        Args:
            views: Gives the places of the sequences of some numbers in some epoch.
        """
        return Recordings(
            count=len(self.recordings),
            read=lambda index: self.recordings[index].whole(),
            views=views,
            fingerprint=lambda: digest([part for one in self.recordings for part in one.identity()]),
            keys=[one.key for one in self.recordings],
        )

    def read(self, views: Sequence[View], keys: Sequence[str]) -> Sequences:
        """Read the views as sequences of these keys.

        Raises:
            InputError: A file cannot be used.
        """
        clips = [self.recordings[view.recording].take(view.steps) for view in views]
        padded = self.padded or any(clip.steps < self.length for clip in clips)
        mask = None
        if padded:
            steps = torch.tensor([clip.steps for clip in clips])
            mask = torch.arange(self.length) < steps[:, None]
        return Sequences(
            torch.stack([_padded(as_float(clip.frames), self.length) for clip in clips]),
            mask=mask,
            observed=torch.stack([_padded(c.observed_entries(), self.length) for c in clips])
            if self.has_gaps
            else None,
            labels=self.label_values(views),
            step_labels={name: self._classes(name, label, clips) for name, label in self.step_labels.items()},
            keys=keys,
            stamps=_stamps(clips, self.length),
            coded=self.coded,
        )

    def _classes(self, name: str, label: Label, clips: Sequence[Clip]) -> Tensor:
        values = torch.full((len(clips), self.length), NO_CLASS)
        number = {text: i for i, text in enumerate(label.classes)}
        for row, clip in enumerate(clips):
            classes = clip.steps_labelled[name].tolist()
            values[row, : clip.steps] = torch.tensor([number[text] for text in classes], dtype=torch.long)
        return values


def _padded(value: Tensor, length: int) -> Tensor:
    missing = length - len(value)
    return torch.cat([value, value.new_zeros(missing, *value.shape[1:])]) if missing else value


def _stamps(clips: Sequence[Clip], length: int) -> np.ndarray | None:
    """The time stamps of the steps, ``(B, V)``, where every clip has them in one unit."""
    stamps = [clip.stamps for clip in clips if clip.stamps is not None]
    if len(stamps) < len(clips) or len({part.dtype.kind == "M" for part in stamps}) > 1:
        return None
    wide = [
        part.astype(np.float64) if part.dtype.kind in "iu" and len(part) < length else part for part in stamps
    ]
    return np.concatenate([pad_stamps(part[None], length) for part in wide])
