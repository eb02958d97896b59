"""AKD: how far motion is from where it should be."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.frames import over_frames

__all__ = ["average_keypoint_distance"]


def average_keypoint_distance(
    generated: Tensor, expected: Tensor, *, generator: torch.Generator, published: bool = False
) -> dict[str, Estimate]:
    """``AKD = E‖k − k̂‖₁``, the mean over clips, frames and keypoints of ``|Δx| + |Δy|`` (DiffSDA, App. E).

    Args:
        generated: Keypoints of generated frames, ``(N, V, K, 2)`` in pixels; NaN where the detector found none.
        expected: Values of the frames that gave the dynamics, the same shape.
        generator: Random generator of the bootstrap over clips.
        published: Let a failed detection add 0 and still count, as published code does.

    Returns:
        ``akd`` and ``akd_detected``, the share of frames in which both detections succeeded.

    Raises:
        InputError: The shapes differ or are not ``(N, V, K, 2)``, or nothing was detected at all.
    """
    if (
        generated.shape != expected.shape
        or generated.ndim != 4
        or generated.shape[3] != 2
        or not generated.numel()
    ):
        raise InputError(
            f"keypoints of shapes {tuple(generated.shape)} and {tuple(expected.shape)}; allowed: (N, V, K, 2) twice"
        )
    distance = (generated.double() - expected.double()).abs().sum(3).mean(2)
    return over_frames(distance, "akd", generator, unit="pixels", published=published)
