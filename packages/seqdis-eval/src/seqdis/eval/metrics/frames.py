"""Figures of single frames, some of them without a detection, as one of all clips."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["cosine_distance", "mean_over_clips", "over_frames"]


def over_frames(
    distance: Tensor, name: str, generator: torch.Generator, *, unit: str, published: bool
) -> dict[str, Estimate]:
    """Mean over clips of the mean over their frames, and the share of frames with a detection.

    Args:
        distance: Distance of each frame, ``(N, V)``; NaN without a detection.
        name: Name of the figure; ``<name>_detected`` is the share of detections.
        generator: Random generator of the bootstraps over clips.
        unit: Unit of the distance.
        published: A frame without a detection counts as 0; it is left out otherwise.

    Raises:
        InputError: No frame has a detection.
    """
    seen = ~distance.isnan()
    if not bool(seen.any()):
        raise InputError(f"{name}: no detection succeeded in {distance.numel()} frames")
    shares = seen.double().mean(1)
    if published:
        clips = distance.nan_to_num(0.0).mean(1)
    else:
        clips = distance.nan_to_num(0.0).sum(1) / seen.sum(1)
        clips = clips[seen.any(1)]
    return {
        name: Estimate(
            unit=unit,
            value=float(clips.mean()),
            ci95=bootstrap_mean(clips, generator=generator),
            n=len(clips),
            direction="lower",
        ),
        f"{name}_detected": Estimate(
            unit="share",
            value=float(shares.mean()),
            ci95=bootstrap_mean(shares, generator=generator),
            n=len(shares),
        ),
    }


def cosine_distance(generated: Tensor, expected: Tensor) -> Tensor:
    """``1 − ⟨e, ê⟩ / ‖e‖‖ê‖`` of embeddings ``(N, V, F)``, as ``(N, V)``; NaN where either was not found.

    Raises:
        InputError: The shapes differ or are not ``(N, V, F)``, or nobody was found at all.
    """
    if generated.shape != expected.shape or generated.ndim != 3 or not generated.numel():
        raise InputError(
            f"embeddings of shapes {tuple(generated.shape)} and {tuple(expected.shape)}; allowed: (N, V, F) twice"
        )
    distance = 1 - torch.nn.functional.cosine_similarity(generated.double(), expected.double(), dim=2)
    if bool(distance.isnan().all()):
        raise InputError(f"identity: no detection succeeded in {distance.numel()} frames")
    return distance


def mean_over_clips(frames: Tensor, generator: torch.Generator, *, unit: str) -> Estimate:
    """Mean over clips of the mean over their frames ``(N, V)``; NaN is left out."""
    clips = frames.nanmean(1)
    clips = clips[~clips.isnan()]
    return Estimate(
        unit=unit, value=float(clips.mean()), ci95=bootstrap_mean(clips, generator=generator), n=len(clips)
    )
