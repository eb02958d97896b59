"""Recordings: where the sequences of a dataset lie in what they were cut from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.data.sound import Sound

__all__ = ["Recordings", "View", "digest"]


@dataclass(frozen=True)
class View:
    """One sequence: its recording's number, and which steps of it, ``(V,)``."""

    recording: int
    steps: Tensor


@dataclass(frozen=True)
class Recordings:
    """What a dataset's sequences were cut from, for what is computed once a recording.

    Attributes:
        count: How many.
        read: One of them, whole.
        views: Where the sequences of some indices lie, in an epoch.
        fingerprint: A hash that differs where the recordings do.
        texts: What is said in each, where that is written down for all.
        sound: One of them as it was recorded, where it sounds: the very stretch that ``read`` gives frames of.
    """

    count: int
    read: Callable[[int], Clip]
    views: Callable[[Sequence[int], int], list[View]]
    fingerprint: Callable[[], str]
    texts: Sequence[str] | None = None
    sound: Callable[[int], Sound] | None = None


def digest(parts: Iterable[str | Tensor]) -> str:
    """SHA-256 over texts and tensors (type, shape and bytes), as hexadecimal digits."""
    key = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            key.update(repr((part.dtype, tuple(part.shape))).encode())
            key.update(part.detach().contiguous().cpu().view(-1).view(torch.uint8).numpy().data)
        else:
            key.update(repr(part).encode())
    return key.hexdigest()
