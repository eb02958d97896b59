"""The diffusion training step of methods whose denoiser sees single frames."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seqdis.core.data.steps import entry_weights, subsample_frames
from seqdis.core.diffusion.denoiser import Denoiser
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences

__all__ = ["TrainingFrames", "frame_denoising_loss"]


@dataclass(frozen=True)
class TrainingFrames:
    """The frames that a denoiser learns from in one step, K of each sequence.

    Attributes:
        y: Clean frames in model space, ``(B, K, *latent)``.
        z: Conditions of the frames, ``(B, K, ...)``.
        weight: Weights that broadcast over ``y``, 0 in a gap; None where there is no gap.
    """

    y: Tensor
    z: Tensor
    weight: Tensor | None

    @classmethod
    def pick(
        cls, y: Tensor, z: Tensor, sequences: Sequences, *, keep: int | None, generator: GeneratorStack
    ) -> TrainingFrames:
        """All frames, or ``keep`` random ones of each sequence, which give an unbiased estimate of the loss.

        Args:
            y: Frames in model space, ``(B, V, *latent)``.
            z: Conditions of the frames, ``(B, V, ...)``.
            sequences: The sequences, whose gaps get the weight 0.
            keep: Number of frames of each sequence, K; all V when omitted.
            generator: Source of the choice, one stream a sequence.
        """
        weight = entry_weights(sequences, y)
        if keep is not None and keep < y.shape[1]:
            (y, z), weight = subsample_frames((y, z), weight, sequences.mask, keep=keep, generator=generator)
        return cls(y, z, weight)

    def repeated(self, count: int) -> TrainingFrames:
        """The same frames ``count`` times, one run of all after the other: ``(B, count·K, ...)``."""

        def repeat(part: Tensor) -> Tensor:
            return part if count == 1 else part.repeat(1, count, *(1,) * (part.ndim - 2))

        return TrainingFrames(
            repeat(self.y), repeat(self.z), None if self.weight is None else repeat(self.weight)
        )


def frame_denoising_loss(
    denoiser: Denoiser, frames: TrainingFrames, *, sigma: Tensor, noise: Tensor
) -> Tensor:
    """:func:`~seqdis.core.diffusion.loss.denoising_loss` of every frame on its own.

    Args:
        denoiser: ``D``.
        frames: Clean frames ``(B, K, *latent)``, their conditions and weights.
        sigma: Noise level of each frame, ``(B, K)``.
        noise: Standard normal noise, ``(B, K, *latent)``.
    """
    return denoising_loss(
        denoiser,
        frames.y.flatten(0, 1),
        frames.z.flatten(0, 1),
        sigma=sigma.flatten(),
        noise=noise.flatten(0, 1),
        weight=None if frames.weight is None else frames.weight.flatten(0, 1),
    )
