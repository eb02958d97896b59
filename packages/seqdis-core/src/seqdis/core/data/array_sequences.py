"""Sequences that lie in memory, as a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.sequences import Sequences

__all__ = ["ArraySequences"]


class ArraySequences(SequenceDataset):
    """Sequences that lie in memory.

    Args:
        x: The sequences, ``(N, V, *frame)``; floating point, or uint8 that stands for ``x / 255`` in [0, 1].
        labels: The meaning of each label.
        label_values: The values of the labels, each ``(N,)``.
        keys: A name for each sequence; numbered when omitted.
        mask: True where a step exists, ``(N, V)``; all exist when omitted.
        observed: True where an entry was measured, shaped like ``x``; all were when omitted.
        texts: The words said in each sequence, if they are known.
        sound: A function from a sequence's number to its recorded sound, for sequences that sound.

    Raises:
        InputError: Sizes disagree, there is no sequence, or a value is not finite (also where
            it was not observed: give 0 there).
    """

    def __init__(
        self,
        x: Tensor,
        *,
        labels: Mapping[str, Label] | None = None,
        label_values: Mapping[str, Tensor] | None = None,
        keys: Sequence[str] | None = None,
        mask: Tensor | None = None,
        observed: Tensor | None = None,
        texts: Sequence[str] | None = None,
        sound: Callable[[int], Sound] | None = None,
    ) -> None:
        if x.ndim < 3 or len(x) == 0:
            raise InputError(f"sequences need shape (N, V, *frame) with N ≥ 1; got {tuple(x.shape)}")
        self.labels = dict(labels or {})
        self._label_values = {
            name: torch.as_tensor(value).long() for name, value in (label_values or {}).items()
        }
        self._keys = list(keys) if keys is not None else [f"{i:06d}" for i in range(len(x))]
        sizes = {"x": len(x), "keys": len(self._keys)}
        sizes |= {name: len(value) for name, value in self._label_values.items()}
        given_too = (("mask", mask), ("observed", observed), ("texts", texts))
        sizes |= {name: len(part) for name, part in given_too if part is not None}
        if len(set(sizes.values())) > 1 or set(self.labels) != set(self._label_values):
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
            labels={name: value[rows] for name, value in self._label_values.items()},
            keys=[self._keys[i] for i in rows.tolist()],
        )

    def all_labels(self) -> dict[str, Tensor]:
        return dict(self._label_values)

    def _gaps(self) -> list[Tensor]:
        return [part for part in (self._mask, self._observed) if part is not None]

    def recordings(self) -> Recordings:
        """Each sequence is its own recording."""
        return Recordings(
            count=len(self),
            read=lambda index: Clip(self._x[index], self._keys[index]),
            views=lambda indices, epoch: [View(i, torch.arange(self.shape[0])) for i in indices],
            fingerprint=lambda: digest([*self._keys, self._x, *self._gaps()]),
            texts=self._texts,
            keys=self._keys,
            sound=self._sound,
        )
