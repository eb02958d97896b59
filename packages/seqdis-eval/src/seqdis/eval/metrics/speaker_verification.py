"""Speaker verification: the equal error rates of both factors, and the gap between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdis.core.metric import Direction, Estimate
from seqdis.eval.metrics.eer import eer_draws, speaker_eer

__all__ = ["SpeakerVerification", "speaker_verification"]


@dataclass(frozen=True)
class SpeakerVerification:
    """Equal error rates in [0, 1].

    Attributes:
        static: Low where the static factor says who speaks.
        dynamic: 0.5 where the dynamic factor does not.
        gap: ``dynamic − static``, high is good; 0 where both know equally much.
    """

    static: Estimate
    dynamic: Estimate
    gap: Estimate


def speaker_verification(
    static: Tensor, dynamic: Tensor, speakers: Tensor, *, resamples: int = 200, seed: int = 0
) -> SpeakerVerification:
    """Static EER, dynamic EER and their gap over all pairs of utterances (DiffSDA, Sec. 4.4, Tab. 4).

    The bootstrap draws the same speakers for both factors, so that the gap's interval is one of paired differences.

    Args:
        static: One embedding an utterance, ``(N, S)``.
        dynamic: One embedding an utterance, ``(N, D)``.
        speakers: ``(N,)``.
        resamples: Number of draws of the bootstrap over speakers.
        seed: Seed of the bootstrap.

    Raises:
        InputError: The arguments are none that :func:`~seqdis.eval.metrics.eer.speaker_eer` takes.
    """
    rates, draws = [], []
    for embeddings in (static, dynamic):
        rates.append(speaker_eer(embeddings, speakers))
        drawn = torch.Generator().manual_seed(seed)
        draws.append(eer_draws(embeddings, speakers, resamples, generator=drawn))
    gap = rates[0].model_copy(update={"value": rates[1].value - rates[0].value, "chance": 0.0})
    return SpeakerVerification(
        _with_interval(rates[0], draws[0], direction="lower"),
        _with_interval(rates[1], draws[1], direction="higher"),
        _with_interval(gap, draws[1] - draws[0], direction="higher"),
    )


def _with_interval(estimate: Estimate, draws: NDArray[np.float64], *, direction: Direction) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975])
    return estimate.model_copy(update={"ci95": (float(low), float(high)), "direction": direction})
