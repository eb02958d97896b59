"""CSIM: whether a generated clip still shows the same face or person."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.metric import Estimate
from seqdis.eval.metrics.frames import cosine_distance, mean_over_clips

__all__ = ["cosine_similarity"]


def cosine_similarity(
    generated: Tensor, expected: Tensor, *, generator: torch.Generator
) -> dict[str, Estimate]:
    """``CSIM = E[⟨e, ê⟩ / ‖e‖‖ê‖]`` of identity embeddings, the mean over clips and frames (BCD, Sec. 4.1).

    Args:
        generated: Embeddings of generated frames, ``(N, V, F)``; NaN where nobody was found.
        expected: Values of the frames that gave the static factor, the same shape.
        generator: Random generator of the bootstrap over clips.

    Returns:
        ``csim`` in [-1, 1], over the frames in which both were found.

    Raises:
        InputError: The shapes differ or are not ``(N, V, F)``, or nobody was found at all.
    """
    return {"csim": mean_over_clips(1 - cosine_distance(generated, expected), generator, unit="cosine")}
