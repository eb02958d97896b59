"""DerivedRecording: a recording that reads from another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.recording import Recording

__all__ = ["DerivedRecording"]


@dataclass(frozen=True, kw_only=True)
class DerivedRecording(Recording):
    """Another recording under a name and labels of its own; subclasses change which steps are read, or how.

    Attributes:
        key: Name of the recording.
        source: The other recording.
        labels: The class of each label, by the label's name.
    """

    key: str
    source: Recording
    labels: Mapping[str, str] | None = None

    @property
    def steps(self) -> int:
        return self.source.steps

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.source.frame_shape

    @property
    def in_memory(self) -> bool:
        return self.source.in_memory

    @property
    def has_gaps(self) -> bool:
        return self.source.has_gaps

    @property
    def step_labels(self) -> Sequence[str]:
        return self.source.step_labels

    @property
    def dated(self) -> bool:
        return self.source.dated

    @property
    def coded(self) -> bool:
        return self.source.coded

    def take(self, steps: Tensor) -> Clip:
        return self.source.take(steps)

    def about(self) -> Mapping[str, float]:
        return self.source.about()

    def identity(self) -> list[str | Tensor]:
        return self.source.identity()
