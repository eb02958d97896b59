"""AKD and AED: how far motion and identity are from where they should be."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.errors import InputError
from seqdis.core.results import Metric

__all__ = ["average_euclidean_distance", "average_keypoint_distance"]


def average_keypoint_distance(
    found: Tensor, expected: Tensor, *, generator: torch.Generator, published: bool = False
) -> dict[str, Metric]:
    """``AKD = E‖k − k̂‖₁``, the mean over clips, frames and keypoints of ``|Δx| + |Δy|`` (DiffSDA, App. E).

    Args:
        found: Keypoints of generated frames, ``(N, V, K, 2)`` in pixels; NaN where the detector found none.
        expected: Of the frames that lent the dynamics, the same shape.
        generator: Of the bootstrap over clips.
        published: Let a failed detection add 0 and still count, as published code does.

    Returns:
        ``akd`` and ``akd_detected``, the share of frames in which both detections succeeded.

    Raises:
        InputError: The shapes differ or are not ``(N, V, K, 2)``, or nothing was detected at all.
    """
    if found.shape != expected.shape or found.ndim != 4 or found.shape[3] != 2 or not found.numel():
        raise InputError(
            f"keypoints of shapes {tuple(found.shape)} and {tuple(expected.shape)}; allowed: (N, V, K, 2) twice"
        )
    distance = (found.double() - expected.double()).abs().sum(3).mean(2)
    return _over_frames(distance, "akd", generator, published=published)


def average_euclidean_distance(
    found: Tensor,
    expected: Tensor,
    *,
    generator: torch.Generator,
    published: bool = False,
    squared: bool = False,
) -> dict[str, Metric]:
    """``AED = E‖e − ê‖₂`` of identity embeddings, the mean over clips and frames (DiffSDA, App. E).

    Args:
        found: Embeddings of generated frames, ``(N, V, F)``; NaN where no face or person was found.
        expected: Of the frames that lent the static factor, the same shape.
        generator: Of the bootstrap over clips.
        published: Let a failed detection add 0 and still count, as published code does.
        squared: ``E‖e − ê‖₂²``, as published code has it for person re-identification.

    Returns:
        ``aed`` and ``aed_detected``, the share of frames in which both detections succeeded.

    Raises:
        InputError: The shapes differ or are not ``(N, V, F)``, or nothing was detected at all.
    """
    if found.shape != expected.shape or found.ndim != 3 or not found.numel():
        raise InputError(
            f"embeddings of shapes {tuple(found.shape)} and {tuple(expected.shape)}; allowed: (N, V, F) twice"
        )
    distance = (found.double() - expected.double()).norm(dim=2)
    if squared:
        distance = distance.square()
    return _over_frames(distance, "aed", generator, published=published)


def _over_frames(
    distance: Tensor, name: str, generator: torch.Generator, *, published: bool
) -> dict[str, Metric]:
    """Mean over clips of the mean over their frames; NaN marks a frame without a detection."""
    seen = ~distance.isnan()
    if not bool(seen.any()):
        raise InputError(f"{name}: no detection succeeded in {distance.numel()} frames")
    if published:
        clips = distance.nan_to_num(0.0).mean(1)
    else:
        clips = distance.nan_to_num(0.0).sum(1) / seen.sum(1)
        clips = clips[seen.any(1)]
    return {
        name: Metric(
            value=float(clips.mean()),
            ci95=bootstrap_mean(clips, generator=generator),
            n=len(clips),
            higher_is_better=False,
        ),
        f"{name}_detected": Metric(value=float(seen.double().mean()), n=distance.numel()),
    }
