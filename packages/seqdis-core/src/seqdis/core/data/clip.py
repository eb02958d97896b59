"""One recording whose frames lie in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from seqdis.core.data.recording import Recording
from seqdis.core.finite import check_finite

__all__ = ["Clip", "as_float"]


def as_float(frames: Tensor) -> Tensor:
    """Frames as float32; bytes stand for ``frames / 255``."""
    return frames.float() / 255 if frames.dtype == torch.uint8 else frames.float()


@dataclass(frozen=True)
class Clip(Recording):
    """One recording, or some steps of one, whose frames lie in memory.

    Attributes:
        frames: The frames, ``(T, *frame)``, floating point, or uint8 that stands for ``frames / 255``.
        key: The name of the recording, usually the file's path below its folder.
        observed: True where an entry was measured, shaped like ``frames``; None where all were.
        labels: The class of each label of the whole recording, by the label's name.
        facts: Facts that the file states of itself, by name with unit, see :meth:`Recording.about`.
        stamps: The time of each step, ``(T,)``, numbers or ``datetime64``; None where it is not known.
        steps_labelled: The class that each step has of a label, ``(T,)`` texts, by the label's name.
    """

    frames: Tensor
    key: str
    observed: Tensor | None = None
    labels: Mapping[str, str] | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    stamps: np.ndarray | None = None
    steps_labelled: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        return len(self.frames)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return tuple(self.frames.shape[1:])

    @property
    def in_memory(self) -> bool:
        return True

    @property
    def has_gaps(self) -> bool:
        return self.observed is not None

    @property
    def step_labels(self) -> Sequence[str]:
        return tuple(self.steps_labelled)

    @property
    def dated(self) -> bool:
        return self.stamps is not None

    def take(self, steps: Tensor) -> Clip:
        index = steps.numpy()
        return replace(
            self,
            frames=self.frames[steps],
            observed=None if self.observed is None else self.observed[steps],
            stamps=None if self.stamps is None else self.stamps[index],
            steps_labelled={name: classes[index] for name, classes in self.steps_labelled.items()},
        )

    def check(self) -> None:
        """Refuse frames that hold a value that is not finite.

        Raises:
            InputError: A value is NaN or Inf.
        """
        if self.frames.is_floating_point():
            check_finite(self.frames, self.key)

    def whole(self) -> Clip:
        return self

    def about(self) -> Mapping[str, float]:
        return self.facts

    def identity(self) -> list[str | Tensor]:
        return [self.key, self.frames, *([] if self.observed is None else [self.observed])]

    def observed_entries(self) -> Tensor:
        """True where an entry was measured, shaped like ``frames``."""
        if self.observed is not None:
            return self.observed
        # Expanded, not filled: a recording without gaps costs one byte.
        return torch.ones((), dtype=torch.bool).expand(self.frames.shape)

    @classmethod
    def joined(cls, parts: Sequence[Clip]) -> Clip:
        """Parts of one recording, in order, as one; all of them are dated or none is."""
        first = parts[0]
        if len(parts) == 1:
            return first
        observed = stamps = None
        if any(part.observed is not None for part in parts):
            observed = torch.cat([part.observed_entries() for part in parts])
        if first.stamps is not None:
            stamps = np.concatenate([part.stamps for part in parts if part.stamps is not None])
        return replace(
            first,
            frames=torch.cat([part.frames for part in parts]),
            observed=observed,
            stamps=stamps,
            steps_labelled={
                name: np.concatenate([part.steps_labelled[name] for part in parts])
                for name in first.steps_labelled
            },
        )
