"""A static factor read from single frames: from a random one in training, and the mean over all of them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn

from seqdis.core.nn.passes import each_frame
from seqdis.core.random import GeneratorStack, rand

__all__ = ["StaticFrames", "StaticView"]


@dataclass(frozen=True)
class StaticFrames:
    """The frames of each sequence that its static factor is read from, or what a network made of them.

    Args:
        frames: K frames of each sequence, ``(B, K, …)``.
        exists: True where one is there, ``(B, K)``; one at least of each sequence.
    """

    frames: Tensor
    exists: Tensor

    @classmethod
    def first(cls, frames: Tensor, mask: Tensor | None) -> Self:
        """The first frame that exists, of ``frames (B, V, …)`` and ``mask (B, V)``; K = 1."""
        return cls._one(frames, _existing(frames, mask).int().argmax(1))

    @classmethod
    def random(cls, frames: Tensor, mask: Tensor | None, rows: GeneratorStack | None) -> Self:
        """A frame drawn among those that exist, K = 1, or where nothing is drawn all of them, K = V.

        Args:
            frames: All frames, ``(B, V, …)``.
            mask: True where a step exists, ``(B, V)``; all do when omitted.
            rows: Source of the draw, one stream a sequence; without it nothing is drawn.
        """
        exists = _existing(frames, mask)
        if rows is None:
            return cls(frames, exists)
        drawn = (rand((len(frames),), generator=rows, device=frames.device) * exists.sum(1)).long()
        return cls._one(frames, ((exists.cumsum(1) - 1 == drawn[:, None]) & exists).int().argmax(1))

    @classmethod
    def _one(cls, frames: Tensor, chosen: Tensor) -> Self:
        one = frames[torch.arange(len(frames), device=frames.device), chosen][:, None]
        return cls(one, torch.ones(one.shape[:2], dtype=torch.bool, device=one.device))

    def through(self, network: Callable[[Tensor], Tensor]) -> StaticFrames:
        """Return what the network, from ``(B, K, …)`` to ``(B, K, …)``, makes of them."""
        return StaticFrames(network(self.frames), self.exists)

    def mean(self) -> Tensor:
        """Average the frames that exist: ``(B, …)``."""
        kept = self.exists.view(*self.exists.shape, *(1,) * (self.frames.ndim - 2))
        return (self.frames * kept).sum(1) / kept.sum(1)


class StaticView(nn.Module):
    """The view that ``s`` is read from: features of the ``"first"`` frame or of a ``"random"`` one, by an encoder of its own or not.

    What one frame does not show, the static factor cannot hold: the order of frames, an action. As a random one is drawn
    anew at each step, the same must be read from every frame, and the mean over all of them errs less than one. An encoder
    of its own may see less still: :class:`~seqdis.core.nn.local_features.LocalFeatures` no pose and no heading.

    Args:
        frames: The frame that is shown; with ``"all"`` a sequence encoder reads ``s`` from the features of all frames, and nothing is to be shown.
        encoder: Network from frames ``(N, *frame)`` to features ``(N, F)``; None: s shares the features of d.
    """

    def __init__(self, frames: Literal["first", "random", "all"], encoder: nn.Module | None) -> None:
        super().__init__()
        self.frames, self.encoder = frames, encoder

    def forward(
        self, y: Tensor, features: Tensor, mask: Tensor | None, rows: GeneratorStack | None, *, size: int
    ) -> StaticFrames | None:
        """``y (B, V, *frame)``, or without an encoder ``features (B, V, F)``, to features of the frames that ``s`` is read from.

        Args:
            y: Coded frames of all steps.
            features: Features that ``d`` is read from.
            mask: True where a step exists, ``(B, V)``; all do when omitted.
            rows: Source of random frames, one stream a sequence; without it nothing is drawn.
            size: Number of frames that pass the encoder at a time, at most.
        """
        if self.frames == "all":
            return None
        seen = features if self.encoder is None else y
        shown = (
            StaticFrames.first(seen, mask)
            if self.frames == "first"
            else StaticFrames.random(seen, mask, rows)
        )
        encoder = self.encoder
        return shown if encoder is None else shown.through(lambda x: each_frame(encoder, x, size=size))


def _existing(frames: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return torch.ones(frames.shape[:2], dtype=torch.bool, device=frames.device)
    return mask.bool()
