"""The protocols that metrics need of a feature network; anything that keeps one of these protocols will do."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

__all__ = ["ClipFeatures", "FrameFeatures", "Identity", "Keypoints"]


class FrameFeatures(Protocol):
    """A network that describes pictures (Inception, for FID)."""

    @property
    def name(self) -> str:
        """Name of the network in a report."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Features ``(N, F)`` of frames ``(N, 3, H, W)`` in [0, 1]."""


class ClipFeatures(Protocol):
    """A network that describes clips (I3D, for FVD)."""

    @property
    def name(self) -> str:
        """Name of the network in a report."""

    @property
    def shortest(self) -> int:
        """Frames that a clip needs."""

    def __call__(self, clips: Tensor) -> Tensor:
        """Features ``(N, F)`` of clips ``(N, V, 3, H, W)`` in [0, 1]."""


class Keypoints(Protocol):
    """A detector of landmarks of a face or joints of a body."""

    @property
    def name(self) -> str:
        """Name of the network in a report."""

    def __call__(self, frames: Tensor) -> Tensor:
        """``(x, y)`` in pixels, ``(N, K, 2)``, of frames ``(N, 3, H, W)`` in [0, 1]; NaN where nothing was found."""


class Identity(Protocol):
    """A network that tells faces or persons apart."""

    @property
    def name(self) -> str:
        """Name of the network in a report."""

    @property
    def threshold(self) -> float | None:
        """Cosine distance up to which two embeddings are of one identity; None where none is known."""

    @property
    def squared(self) -> bool:
        """Whether published code squares its distances (person re-identification)."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Embeddings ``(N, F)`` of frames ``(N, 3, H, W)`` in [0, 1]; NaN where nobody was found."""
