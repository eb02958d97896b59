"""CSIM of voices: whether a made utterance is still spoken by the same person."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["voice_similarity"]


def voice_similarity(
    made: Tensor, wanted: Tensor, *, other: Tensor | None = None, generator: torch.Generator
) -> Estimate:
    """``CSIM = E[⟨e, ê⟩ / ‖e‖‖ê‖]`` of speaker embeddings, with a bootstrap interval over utterances.

    Args:
        made: Embeddings of utterances that were made, ``(N, F)``.
        wanted: Embeddings of utterances of the speakers that they should have, ``(N, F)``.
        other: Embeddings of utterances of the speakers that they should not have, ``(N, F)``: ``chance`` is the similarity of
            these to ``wanted``, which nothing that keeps the wrong voice exceeds.
        generator: Random generator of the bootstrap.

    Raises:
        InputError: The shapes differ, or there is no utterance.
    """
    for value in (wanted, other):
        if value is not None and (value.shape != made.shape or made.ndim != 2 or not len(made)):
            raise InputError(
                f"embeddings of shapes {tuple(made.shape)} and {tuple(value.shape)}; allowed: (N, F) alike"
            )
    values = torch.nn.functional.cosine_similarity(made.double(), wanted.double())
    chance = (
        None
        if other is None
        else float(torch.nn.functional.cosine_similarity(other.double(), wanted.double()).mean())
    )
    return Estimate(
        unit="cosine",
        value=float(values.mean()),
        chance=chance,
        ci95=bootstrap_mean(values, generator=generator),
        n=len(values),
    )
