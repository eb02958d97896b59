"""Verification: would a network that knows faces or persons take both for the same one?"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.frames import cosine_distance, mean_over_clips

__all__ = ["verification_accuracy", "verification_threshold"]


def verification_accuracy(
    generated: Tensor,
    expected: Tensor,
    *,
    threshold: float,
    generator: torch.Generator,
    published: bool = False,
) -> dict[str, Estimate]:
    """Share of frames in which ``1 − cos(e, ê) ≤ threshold``: the same identity (DiffSDA, Tab. 10 and 11).

    Args:
        generated: Embeddings of generated frames, ``(N, V, F)``; NaN where nobody was found.
        expected: Values of the frames that gave the static factor, the same shape.
        threshold: Threshold of the network, or :func:`verification_threshold`.
        generator: Random generator of the bootstrap over clips.
        published: Let a failed detection count as another identity, as a library that raises there is used.

    Returns:
        ``verification_accuracy``.

    Raises:
        InputError: The arguments are none that :func:`~seqdis.eval.metrics.csim.cosine_similarity` takes.
    """
    distance = cosine_distance(generated, expected)
    same = torch.where(distance.isnan(), distance, (distance <= threshold).double())
    counted = same.nan_to_num(0.0) if published else same
    return {"verification_accuracy": mean_over_clips(counted, generator, unit="share")}


def verification_threshold(embeddings: Tensor, identities: Tensor) -> float:
    """The cosine distance at which real pairs of one identity and of two are told apart equally well.

    It is where the share of pairs of one identity above it meets that of pairs of two below it, over all pairs:
    the threshold of the equal error rate.

    Args:
        embeddings: Embeddings of real frames, ``(N, F)``; rows with NaN are left out.
        identities: ``(N,)``.

    Raises:
        InputError: The sizes differ, or there is no pair of one kind.
    """
    if embeddings.ndim != 2 or identities.shape != embeddings.shape[:1]:
        raise InputError(
            f"embeddings {tuple(embeddings.shape)} of identities {tuple(identities.shape)}; allowed: (N, F) and (N,)"
        )
    seen = ~embeddings.isnan().any(1)
    unit = torch.nn.functional.normalize(embeddings[seen].double(), dim=1)
    who = identities[seen]
    first, second = torch.triu_indices(len(unit), len(unit), 1)
    similarity, same = (unit @ unit.T)[first, second], (who[:, None] == who)[first, second]
    if not bool(same.any()) or bool(same.all()):
        raise InputError("a threshold needs pairs of one identity and pairs of two; got one kind alone")
    target, other = similarity[same].sort().values, similarity[~same].sort().values
    levels = similarity.sort().values
    misses = torch.searchsorted(target, levels) / len(target)
    alarms = 1 - torch.searchsorted(other, levels) / len(other)
    return float(1 - levels[int((misses - alarms).abs().argmin())])
