"""AED: how far an identity is from where it should be."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.frames import over_frames

__all__ = ["average_euclidean_distance"]


def average_euclidean_distance(
    generated: Tensor,
    expected: Tensor,
    *,
    generator: torch.Generator,
    published: bool = False,
    squared: bool = False,
) -> dict[str, Estimate]:
    """``AED = E‖e − ê‖₂`` of identity embeddings, the mean over clips and frames (DiffSDA, App. E).

    Args:
        generated: Embeddings of generated frames, ``(N, V, F)``; NaN where no face or person was found.
        expected: Values of the frames that gave the static factor, the same shape.
        generator: Random generator of the bootstrap over clips.
        published: Let a failed detection add 0 and still count, as published code does.
        squared: ``E‖e − ê‖₂²``, as published code has it for person re-identification.

    Returns:
        ``aed`` and ``aed_detected``, the share of frames in which both detections succeeded.

    Raises:
        InputError: The shapes differ or are not ``(N, V, F)``, or nothing was detected at all.
    """
    if generated.shape != expected.shape or generated.ndim != 3 or not generated.numel():
        raise InputError(
            f"embeddings of shapes {tuple(generated.shape)} and {tuple(expected.shape)}; allowed: (N, V, F) twice"
        )
    distance = (generated.double() - expected.double()).norm(dim=2)
    if squared:
        distance = distance.square()
    return over_frames(
        distance, "aed", generator, unit="distance²" if squared else "distance", published=published
    )
