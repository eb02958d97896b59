"""Cutting recordings into windows at a fixed stride."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError

__all__ = ["sliding_windows", "window_starts"]


def window_starts(total: int, length: int, stride: int) -> list[int]:
    """First steps of the windows ``[i·stride, i·stride + length)`` that fit into ``total`` steps.

    Raises:
        InputError: ``length`` or ``stride`` is not positive.
    """
    if length < 1 or stride < 1:
        raise InputError(f"windows need length ≥ 1 and stride ≥ 1; got {length} and {stride}")
    return list(range(0, total - length + 1, stride))


def sliding_windows(
    clips: Sequence[Clip],
    length: int,
    *,
    stride: int | None = None,
    labels: Mapping[str, Label] | None = None,
) -> ArraySequences:
    """Every window of ``length`` steps at the given stride (``length`` when omitted), in order.

    The key of a window is the clip's key, with ``@start`` where a clip gives more than one.

    Raises:
        InputError: There is no clip, or one is shorter than ``length``.
    """
    x, observed, keys, rows = [], [], [], []
    for clip in clips:
        clip.check_length(length)
        starts = window_starts(len(clip.frames), length, stride or length)
        for start in starts:
            x.append(clip.frames[start : start + length])
            observed.append(clip.observed_entries()[start : start + length])
            keys.append(clip.key if len(starts) == 1 else f"{clip.key}@{start}")
            rows.append(clip.labels or {})
    if not x:
        raise InputError("windows need at least one recording; got none")
    label_values = {name: torch.tensor([row[name] for row in rows]) for name in labels or {}}
    seen = torch.stack(observed) if any(clip.observed is not None for clip in clips) else None
    return ArraySequences(torch.stack(x), labels=labels, label_values=label_values, keys=keys, observed=seen)
