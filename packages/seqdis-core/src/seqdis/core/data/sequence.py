"""SequenceDataset: sequences addressed by an integer, in memory or cut from recordings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences, check_finite

__all__ = [
    "ArraySequences",
    "Label",
    "SequenceDataset",
    "Subset",
]


@dataclass(frozen=True)
class Label:
    """What an integer label means.

    Attributes:
        classes: The name of each value, in order.
        factor: The side that ought to hold it: ``"static"`` (identity) or ``"dynamic"`` (motion).
    """

    classes: tuple[str, ...]
    factor: Literal["static", "dynamic"]


class SequenceDataset(ABC):
    """Sequences addressed by an integer, all of one length and frame shape.

    Attributes:
        labels: What each label means; its names are the keys of ``Sequences.labels``.
    """

    labels: Mapping[str, Label] = {}

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one sequence, ``(V, *frame)``."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        """Read some sequences.

        Args:
            indices: Which, each in ``[0, len)``.
            epoch: Chooses the random views (crops, picked frames) of a dataset that has them:
                the same index and epoch always give the same sequence.
        """

    def recordings(self) -> Recordings | None:
        """What its sequences were cut from, and where; None for a dataset that does not say."""
        return None

    def all_labels(self) -> dict[str, Tensor]:
        """The labels of the whole dataset, each ``(N,)``."""
        parts = [self.fetch(range(i, min(i + 256, len(self)))).labels for i in range(0, len(self), 256)]
        return {name: torch.cat([part[name] for part in parts]) for name in self.labels}


class ArraySequences(SequenceDataset):
    """Sequences that lie in memory.

    Args:
        x: ``(N, V, *frame)``; floating point, or uint8 that stands for ``x / 255`` in [0, 1].
        labels: The meaning of each label.
        targets: The label values, each ``(N,)``.
        keys: A name for each sequence; numbered when omitted.
        mask: See :class:`Sequences`, ``(N, V)``.
        observed: See :class:`Sequences`, shaped like ``x``.
        texts: What is said in each sequence, where that is written down.
        sound: What a sequence sounded like when it was recorded, where it sounds.

    Raises:
        InputError: Sizes disagree, there is no sequence, or a value is not finite (also where
            it was not observed: give 0 there).
    """

    def __init__(
        self,
        x: Tensor,
        *,
        labels: Mapping[str, Label] | None = None,
        targets: Mapping[str, Tensor] | None = None,
        keys: Sequence[str] | None = None,
        mask: Tensor | None = None,
        observed: Tensor | None = None,
        texts: Sequence[str] | None = None,
        sound: Callable[[int], Sound] | None = None,
    ) -> None:
        if x.ndim < 3 or len(x) == 0:
            raise InputError(f"sequences need shape (N, V, *frame) with N ≥ 1; got {tuple(x.shape)}")
        self.labels = dict(labels or {})
        self._targets = {name: torch.as_tensor(value).long() for name, value in (targets or {}).items()}
        self._keys = list(keys) if keys is not None else [f"{i:06d}" for i in range(len(x))]
        sizes = {"x": len(x), "keys": len(self._keys)}
        sizes |= {name: len(value) for name, value in self._targets.items()}
        given_too = (("mask", mask), ("observed", observed), ("texts", texts))
        sizes |= {name: len(part) for name, part in given_too if part is not None}
        if len(set(sizes.values())) > 1 or set(self.labels) != set(self._targets):
            raise InputError(
                f"a dataset's parts need one entry a sequence and a meaning a label; got {sizes}"
            )
        for name, given, allowed in (("mask", mask, x.shape[:2]), ("observed", observed, x.shape)):
            if given is not None and given.shape != allowed:
                raise InputError(f"dataset: {name} of shape {tuple(given.shape)}; allowed: {tuple(allowed)}")
        if x.is_floating_point():
            check_finite(x, "dataset")
        self._x, self._mask, self._observed = x, mask, observed
        self._texts, self._sound = texts, sound

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._x.shape[1:])

    def __len__(self) -> int:
        return len(self._x)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        rows = torch.as_tensor(list(indices), dtype=torch.long)
        x = self._x[rows]
        return Sequences(
            x=x.float().div_(255) if x.dtype == torch.uint8 else x.float(),
            mask=None if self._mask is None else self._mask[rows],
            observed=None if self._observed is None else self._observed[rows],
            labels={name: value[rows] for name, value in self._targets.items()},
            keys=[self._keys[i] for i in rows.tolist()],
        )

    def all_labels(self) -> dict[str, Tensor]:
        return dict(self._targets)

    def recordings(self) -> Recordings:
        """Each sequence is its own recording."""
        from seqdis.core.data.window import Clip

        return Recordings(
            count=len(self),
            read=lambda index: Clip(self._x[index], self._keys[index]),
            views=lambda indices, epoch: [View(i, torch.arange(self.shape[0])) for i in indices],
            fingerprint=lambda: digest([*self._keys, self._x]),
            texts=self._texts,
            sound=self._sound,
        )


class Subset(SequenceDataset):
    """Some sequences of another dataset, in the given order."""

    def __init__(self, dataset: SequenceDataset, indices: Sequence[int]) -> None:
        if not len(indices):
            raise InputError("a subset needs at least one sequence; got none")
        self.labels, self._dataset, self._indices = dataset.labels, dataset, list(indices)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._dataset.shape

    def __len__(self) -> int:
        return len(self._indices)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        return self._dataset.fetch([self._indices[i] for i in indices], epoch=epoch)

    def recordings(self) -> Recordings | None:
        """All of the other dataset's, seen at these indices."""
        whole = self._dataset.recordings()
        if whole is None:
            return None
        views = whole.views
        return replace(whole, views=lambda indices, epoch: views([self._indices[i] for i in indices], epoch))
