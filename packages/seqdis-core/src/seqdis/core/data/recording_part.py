"""RecordingPart: some steps in a row of another recording."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.derived_recording import DerivedRecording
from seqdis.core.data.recording import Recording
from seqdis.core.errors import InputError

__all__ = ["RecordingPart", "part_in_time"]


@dataclass(frozen=True, kw_only=True)
class RecordingPart(DerivedRecording):
    """The steps ``[first, last)`` of another recording.

    Attributes:
        first: The first step.
        last: The step after the last.
    """

    first: int
    last: int

    @property
    def steps(self) -> int:
        return self.last - self.first

    def take(self, steps: Tensor) -> Clip:
        return self.source.take(steps + self.first)

    def identity(self) -> list[str | Tensor]:
        return [self.key, *self.source.identity(), f"{self.first}:{self.last}"]


def part_in_time(recording: Recording, first: int, last: int) -> Recording:
    """The steps ``[first, last)`` of a recording, under the same key.

    Raises:
        InputError: There are no such steps.
    """
    if not 0 <= first < last <= recording.steps:
        raise InputError(
            f"{recording.key}: steps {first} to {last}; allowed: a part of its {recording.steps} steps"
        )
    return RecordingPart(key=recording.key, labels=recording.labels, source=recording, first=first, last=last)
