"""Features of raw sequences for a plain model: their statistics, or the values of their windows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.sequences import Sequences

__all__ = ["sequence_statistics", "window_values"]

_CHUNK = 256
_SIDE = 8


def sequence_statistics(dataset: SequenceDataset) -> Tensor:
    """Statistics of each channel of each sequence: mean, deviation, least, greatest, first, last, and the share measured.

    Over the entries that were measured. Images are averaged to at most 8x8 places first.

    Returns:
        ``(N, 7·F)``; NaN where a channel was never measured.
    """
    return torch.cat([_statistics(*_measured(batch)) for batch in _batches(dataset)])


def window_values(dataset: SequenceDataset, window: int) -> Tensor:
    """The raw values of each whole window, ``(N, V // W, W·F)``; NaN where nothing was measured."""
    parts = []
    for batch in _batches(dataset):
        x, seen = _measured(batch)
        whole = x.shape[1] // window
        values = x.where(seen, torch.nan)[:, : whole * window]
        parts.append(values.reshape(len(x), whole, -1))
    return torch.cat(parts)


def _batches(dataset: SequenceDataset) -> list[Sequences]:
    total = len(dataset)
    return [dataset.fetch(range(i, min(i + _CHUNK, total))) for i in range(0, total, _CHUNK)]


def _measured(batch: Sequences) -> tuple[Tensor, Tensor]:
    """Values and which were measured, both ``(B, V, F)``."""
    x = batch.x
    seen = torch.ones_like(x, dtype=torch.bool) if batch.observed is None else batch.observed.bool()
    if batch.mask is not None:
        seen = seen & batch.mask.bool().view(*batch.mask.shape, *(1,) * (x.ndim - 2))
    if x.ndim == 5 and max(x.shape[-2:]) > _SIDE:
        size = (x.shape[2], min(_SIDE, x.shape[3]), min(_SIDE, x.shape[4]))
        x, seen = (functional.adaptive_avg_pool3d(v.float(), size) for v in (x, seen))
        seen = seen == 1
    return x.flatten(2), seen.flatten(2)


def _statistics(x: Tensor, seen: Tensor) -> Tensor:
    count = seen.sum(1)
    none = count == 0
    mean = x.where(seen, 0.0).sum(1) / count
    std = ((x - mean[:, None]).where(seen, 0.0).square().sum(1) / count).sqrt()
    low, high = x.where(seen, torch.inf).amin(1), x.where(seen, -torch.inf).amax(1)
    steps = torch.arange(x.shape[1])[:, None]
    first = steps.where(seen, x.shape[1] - 1).amin(1)
    last = steps.where(seen, 0).amax(1)
    ends = [x.gather(1, position[:, None]).squeeze(1) for position in (first, last)]
    features = [value.masked_fill(none, torch.nan) for value in (mean, std, low, high, *ends)]
    return torch.cat([*features, count / x.shape[1]], dim=1)
