"""Normalizer: zero mean and standard deviation 0.5, fitted in one pass, saved with the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from seqdis.core.data.running_moments import RunningMoments
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.finite import check_scale

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
            InputError: No entry is observed, or all entries (of a channel) are equal.
        """
        shape = self.mean.shape
        axes = [axis for axis in range(len(shape) + 1) if axis != 1 or self.scope == "global"]
        moments = RunningMoments.none(shape)
        chosen = range(0, len(dataset), 1 if dataset.in_memory else -(-len(dataset) // MOST_DECODED))
        for start in range(0, len(chosen), batch_size):
            batch = dataset.fetch(chosen[start : start + batch_size])
            x = batch.x.flatten(0, 1).to(self.mean.device)
            x = (x if batch.coded else transform(x)).double().cpu()
            seen = torch.ones_like(x)
            if batch.observed is not None:
                seen = batch.observed.flatten(0, 1).double()
            if batch.mask is not None:
                seen = seen * batch.mask.flatten().double().view(-1, *(1,) * (x.ndim - 1))
            moments = moments.joined(RunningMoments.of(x, axes, seen))
        mean, std = moments.mean, moments.std
        # The mean of equal numbers is only equal to them up to rounding: no deviation at float32's
        # resolution is none.
        flat = std <= torch.finfo(torch.float32).eps * mean.abs()
        if bool(flat.any()):
            which = flat.flatten().nonzero().flatten().tolist()
            raise InputError(
                f"normalizer: the training data are constant or unobserved in channel(s) {which}"
            )
        self.mean.copy_(mean)
        self.std.copy_(std)
        return self
