"""Recording: one recording of any length, in memory or read piece by piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

if TYPE_CHECKING:
    from seqdis.core.data.clip import Clip

__all__ = ["Recording"]


class Recording(ABC):
    """One recording, of which some steps are read at a time.

    Subclasses are frozen dataclasses with the two fields below. They must be picklable, for processes that read
    ahead, and must not hold an open file.

    Attributes:
        key: Name of the recording: the file's path below its folder, with ``#NAME`` where a file holds several.
        labels: The class of each label of the whole recording, by the label's name; None where there are none.
    """

    key: str
    labels: Mapping[str, str] | None

    @property
    @abstractmethod
    def steps(self) -> int:
        """The number of steps, T, known without reading them."""

    @property
    @abstractmethod
    def frame_shape(self) -> tuple[int, ...]:
        """The shape of one frame."""

    @abstractmethod
    def take(self, steps: Tensor) -> Clip:
        """Read some steps.

        Args:
            steps: Numbers of the steps in increasing order, ``(K,)``, each in ``[0, T)``.

        Raises:
            InputError: The file cannot be used, or a value is not finite.
        """

    @property
    def in_memory(self) -> bool:
        """Whether steps are read without opening a file."""
        return False

    @property
    def has_gaps(self) -> bool:
        """Whether an entry may not have been measured."""
        return False

    @property
    def step_labels(self) -> Sequence[str]:
        """The names of the labels that every step has one of."""
        return ()

    @property
    def dated(self) -> bool:
        """Whether the time of each step is known."""
        return False

    @property
    def coded(self) -> bool:
        """Whether its frames are the latents of a frame codec."""
        return False

    def about(self) -> Mapping[str, float]:
        """Facts that the file states of itself, by name with unit: ``"seconds"``, ``"frames a second"``, ``"width, px"``."""
        return {}

    def identity(self) -> list[str | Tensor]:
        """The parts that tell the recording from others, for :func:`~seqdis.core.data.recordings.digest`."""
        return [self.key, str(self.steps)]

    def whole(self) -> Clip:
        """Read all steps; see :meth:`take`."""
        return self.take(torch.arange(self.steps))

    def named(self, key: str, labels: Mapping[str, str] | None = None) -> Self:
        """The same recording under another key, with further labels."""
        merged = {**(self.labels or {}), **(labels or {})}
        own: Any = self  # every subclass is a dataclass
        renamed: Self = replace(own, key=key, labels=merged or None)
        return renamed
