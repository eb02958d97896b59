"""The frame codec, a map between natural frames and the space that a method models."""

from __future__ import annotations

from abc import abstractmethod

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


class IdentityCodec(FrameCodec):
    """A codec that changes nothing: the method models the frames themselves."""

    def latent_shape(self, frame_shape: tuple[int, ...]) -> tuple[int, ...]:
        return frame_shape

    def encode(self, frames: Tensor) -> Tensor:
        return frames

    def decode(self, latents: Tensor) -> Tensor:
        return latents
