"""The three splits that a protocol trains, stops and measures a head on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError

__all__ = ["Splits", "check_unseen", "grouped", "sequence_lengths"]

_CHUNK = 256


@dataclass(frozen=True)
class Splits:
    """Sequences of one dataset.

    Attributes:
        train: A head learns from them.
        val: Say when it has learnt enough.
        test: Nobody has learnt from them.
        groups: A number ``(N,)`` that test sequences share which are not independent; each is alone when None.
    """

    train: SequenceDataset
    val: SequenceDataset
    test: SequenceDataset
    groups: Tensor | None = None


def grouped(dataset: SequenceDataset, group_key: Callable[[str], str] | None) -> Tensor | None:
    """The groups of :class:`Splits`, from what the keys of sequences say; see ``DatasetSpec.group_key``.

    Args:
        dataset: Of the test split.
        group_key: What a key says; None gives None.
    """
    if group_key is None:
        return None
    names = [group_key(key) for key in _keys(dataset)]
    return torch.tensor([sorted(set(names)).index(name) for name in names])


def check_unseen(test_set: SequenceDataset, *learnt: SequenceDataset, name: str) -> None:
    """Refuse test sequences that the model was trained on, as its keys tell.

    Args:
        test_set: To be measured.
        learnt: What the model was trained and chosen on.
        name: Of the run, for the message.

    Raises:
        InputError: A key of the test split is one of theirs.
    """
    known = {key for dataset in learnt for key in _keys(dataset)}
    seen = sorted(set(_keys(test_set)) & known)
    if seen:
        raise InputError(
            f"{name}: was trained on {len(seen)} of the {len(test_set)} test sequences ({seen[0]}, …); "
            "allowed: a run of the split that --mode asks for"
        )


def _keys(dataset: SequenceDataset) -> list[str]:
    total = len(dataset)
    return [k for i in range(0, total, _CHUNK) for k in dataset.fetch(range(i, min(i + _CHUNK, total))).keys]


def sequence_lengths(dataset: SequenceDataset) -> Tensor:
    """Steps of every sequence up to its last existing one, ``(N,)``."""
    total, parts = len(dataset), []
    for start in range(0, total, _CHUNK):
        batch = dataset.fetch(range(start, min(start + _CHUNK, total)))
        steps = torch.arange(1, batch.x.shape[1] + 1)
        exists = torch.ones(batch.x.shape[:2], dtype=torch.bool) if batch.mask is None else batch.mask.bool()
        parts.append((steps * exists).amax(1))
    return torch.cat(parts)
