"""The recordings of a dataset, and where its sequences lie in them."""

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
    """The position of one sequence: its recording's number, and the steps of it, ``(V,)``."""

    recording: int
    steps: Tensor


@dataclass(frozen=True)
class Recordings:
    """The recordings that a dataset's sequences were cut from, for values that are computed once a recording.

    Attributes:
        count: Number of recordings.
        read: A function from a recording's number to the whole recording.
        views: A function from some sequences' indices and an epoch to their positions in the recordings.
        fingerprint: A hash that differs where the recordings do.
        texts: The words said in each recording, if they are known for all.
        keys: Names of the recordings, if they are known without reading them.
        sound: A function from a recording's number to its sound, the stretch that ``read`` gives frames of;
            None for recordings without sound.
    """

    count: int
    read: Callable[[int], Clip]
    views: Callable[[Sequence[int], int], list[View]]
    fingerprint: Callable[[], str]
    texts: Sequence[str] | None = None
    keys: Sequence[str] | None = None
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
