"""Normalizer: zero mean and standard deviation 0.5, fitted in one pass, saved with the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Literal, NoReturn

import torch
from torch import Tensor, nn

from seqdis.core.data.running_moments import RunningMoments
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.finite import check_scale
from seqdis.core.sequences import Sequences

__all__ = ["NORMALIZED_STD", "Normalizer"]

NORMALIZED_STD = 0.5
"""The data's standard deviation that EDM's preconditioning expects, σ_data."""


MOST_DECODED = 1024
"""Number of sequences that are read where each is decoded from a file."""


class Normalizer(nn.Module):
    """``y = 0.5 · (x − μ) / σ`` with μ, σ of the observed training entries (DiffSDA, App. B.2).

    Args:
        frame_shape: The shape of one frame.
        scope: ``"global"`` for one μ and σ of all entries; ``"channel"`` for one each at every index of the
            frame's first dimension (features of a time series).
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, frame_shape: tuple[int, ...], *, scope: Literal["global", "channel"] = "global"
    ) -> None:
        super().__init__()
        self.scope = scope
        tail = (1,) * len(frame_shape)
        shape = (frame_shape[0], *tail[1:]) if scope == "channel" else tail
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("std", torch.full(shape, NORMALIZED_STD))
        self.register_load_state_dict_post_hook(Normalizer._check_std)  # type: ignore[no-untyped-call]

    def _check_std(self, _: object) -> None:
        check_scale(self.std, "normalizer.std")

    def forward(self, x: Tensor) -> Tensor:
        """Natural units to model space, ``(…, *frame)``."""
        return (x - self.mean) * (NORMALIZED_STD / self.std)

    def inverse(self, y: Tensor) -> Tensor:
        """Model space back to natural units, ``(…, *frame)``."""
        return y * (self.std / NORMALIZED_STD) + self.mean

    @torch.no_grad()
    def fit(
        self,
        dataset: SequenceDataset,
        *,
        transform: Callable[[Tensor], Tensor] = lambda frames: frames,
        batch_size: int = 64,
    ) -> Normalizer:
        """Measure μ and σ in one streaming pass, by :class:`RunningMoments`.

        Of sequences that are decoded from files, 1024 are read, spread evenly over the dataset: to decode all of a
        large set before the first step would take longer than many a training.

        Args:
            dataset: The training split; masked steps and unobserved entries do not count.
            transform: A function on ``(N, *frame)`` that comes before the normaliser (a frame codec's
                ``encode``); sequences that are coded already do not pass it.
            batch_size: Number of sequences read at a time.

        Raises:
            InputError: No entry is observed, all entries (of a channel) are equal, or their deviation is so small or
                large that float32 cannot hold both σ and 1/σ; names a sequence of such values and their range.
        """
        shape = self.mean.shape
        axes = [axis for axis in range(len(shape) + 1) if axis != 1 or self.scope == "global"]
        moments = RunningMoments.none(shape)
        chosen = range(0, len(dataset), 1 if dataset.in_memory else -(-len(dataset) // MOST_DECODED))
        parts = [chosen[start : start + batch_size] for start in range(0, len(chosen), batch_size)]
        for part in parts:
            batch = dataset.fetch(part)
            x = batch.x.flatten(0, 1).to(self.mean.device)
            x = (x if batch.coded else transform(x)).double().cpu()
            moments = moments.joined(RunningMoments.of(x, axes, _seen(batch, x)))
        mean, std = moments.mean, moments.std
        # The mean of equal numbers is only equal to them up to rounding: no deviation at float32's
        # resolution is none.
        flat = std <= torch.finfo(torch.float32).eps * mean.abs()
        if bool(flat.any()):
            which = flat.flatten().nonzero().flatten().tolist()
            raise InputError(
                f"normalizer: the training data are constant or unobserved in channel(s) {which}"
            )
        unusable = ~_usable(std)
        if bool(unusable.any()):
            _refuse_magnitude(
                unusable.flatten(),
                (dataset.fetch(part) for part in parts),
                lambda frames: transform(frames.to(self.mean.device)),
            )
        self.mean.copy_(mean)
        self.std.copy_(std)
        return self


def _usable(std: Tensor) -> Tensor:
    """True for a deviation σ of which float32 holds the scale of the normaliser, 0.5/σ, and its inverse as normal numbers."""
    info = torch.finfo(torch.float32)
    return (std >= info.tiny) & (std <= NORMALIZED_STD / info.tiny)


def _seen(batch: Sequences, x: Tensor) -> Tensor:
    """1 at the entries of frames ``(N, *frame)`` that were measured in steps that exist."""
    seen = torch.ones_like(x)
    if batch.observed is not None:
        seen = batch.observed.flatten(0, 1).double()
    if batch.mask is not None:
        seen = seen * batch.mask.flatten().double().view(-1, *(1,) * (x.ndim - 1))
    return seen


def _refuse_magnitude(
    unusable: Tensor, batches: Iterable[Sequences], transform: Callable[[Tensor], Tensor]
) -> NoReturn:
    """Look again for the range of what cannot be scaled, and for the sequence that reaches furthest."""
    least, most, key = math.inf, -math.inf, ""
    channels = unusable.nonzero().flatten()
    for batch in batches:
        x = batch.x.flatten(0, 1)
        x = (x if batch.coded else transform(x)).double().cpu()
        x = torch.where(_seen(batch, x) > 0, x, 0.0).unflatten(0, batch.x.shape[:2])
        if len(unusable) > 1:  # one for each channel
            x = x[:, :, channels]
        reach = x.abs().flatten(1).amax(1)
        row = int(reach.argmax())
        if not key or float(reach[row]) > max(-least, most):
            key = batch.keys[row] if batch.keys else f"sequence {row}"
        least, most = min(least, float(x.min())), max(most, float(x.max()))
    info = torch.finfo(torch.float32)
    raise InputError(
        f"{key}: the training data of channel(s) {channels.tolist()} go from {least:.3g} to {most:.3g}; float32 takes a "
        f"standard deviation from {info.tiny:.2g} to {NORMALIZED_STD / info.tiny:.2g}; give them in another unit"
    )
