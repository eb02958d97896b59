"""The frame codec, a map between natural frames and the space that a method models."""

from __future__ import annotations

import hashlib
from abc import abstractmethod

import torch
from torch import Tensor, nn

__all__ = ["FrameCodec", "IdentityCodec"]


class FrameCodec(nn.Module):
    """A frozen map of single frames, and its (approximate) inverse.

    Gradients pass through it where the caller keeps the graph; its weights have none.
    Its weights are not saved with a model; ``config.json`` names their source.
    """

    @abstractmethod
    def latent_shape(self, frame_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a coded frame."""

    @abstractmethod
    def encode(self, frames: Tensor) -> Tensor:
        """``(N, *frame)`` to ``(N, *latent)``."""

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """``(N, *latent)`` to ``(N, *frame)``."""

    def fingerprint(self) -> str:
        """A hash of the class and the weights, which differs from that of any other codec."""
        key = hashlib.sha256(f"{type(self).__module__}.{type(self).__qualname__}".encode())
        for name, value in sorted(self.state_dict().items()):
            key.update(repr((name, value.dtype, tuple(value.shape))).encode())
            key.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return key.hexdigest()


class IdentityCodec(FrameCodec):
    """A codec that changes nothing: the method models the frames themselves."""

    def latent_shape(self, frame_shape: tuple[int, ...]) -> tuple[int, ...]:
        return frame_shape

    def encode(self, frames: Tensor) -> Tensor:
        return frames

    def decode(self, latents: Tensor) -> Tensor:
        return latents
