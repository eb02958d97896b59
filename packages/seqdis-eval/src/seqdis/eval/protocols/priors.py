"""Dependent against independent prior, as DiffSDA's App. G.1 compares them, in a judge's feature space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdis.core.analysis import generate
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.progress import Progress
from seqdis.core.results import Metric
from seqdis.eval.judge.sequence_judge import SequenceJudge
from seqdis.eval.metrics.frechet import frechet_score

__all__ = ["KINDS", "compare_priors", "judge_features"]

KINDS = {"dependent": True, "independent": False}


def compare_priors(
    model: Disentangler,
    judge: SequenceJudge,
    known: Factors,
    real: Tensor,
    config: LatentDDIMConfig,
    *,
    seeds: Sequence[int],
    count: int,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> dict[str, list[Metric]]:
    """Fréchet distance of generated clips from real ones, for both kinds of prior.

    Args:
        model: Trained, in eval mode.
        judge: Whose features are compared.
        known: Factors of the training split.
        real: Features of real held-out clips, ``(M, F)``.
        config: Of the priors but for ``dependent`` and ``seed``.
        seeds: Each fits and draws anew.
        count: Clips for each.
        batch_size: Clips a pass.
        progress: Called with clips done and in all.

    Returns:
        By kind, one distance a seed. Both kinds decode from the same noise.
    """
    total, done = len(KINDS) * len(seeds) * count, 0
    distances: dict[str, list[Metric]] = {kind: [] for kind in KINDS}
    for seed in seeds:
        for kind, dependent in KINDS.items():
            settings = config.model_copy(update={"dependent": dependent, "seed": seed})
            prior = LatentDDIM.for_factors(settings, known, device=model.device)
            prior.fit(known)
            drawn = generate(
                model, prior, count, generator=torch.Generator().manual_seed(seed), batch_size=batch_size
            )
            distances[kind].append(frechet_score(judge_features(judge, drawn.frames), real))
            done += count
            if progress is not None:
                progress(done, total)
    return distances


@torch.no_grad()
def judge_features(judge: SequenceJudge, frames: Tensor) -> Tensor:
    """A judge's features of clips ``(N, V, *frame)``, ``(N, F)``, on the CPU."""
    device = next(judge.parameters()).device
    return torch.cat([judge.features(part.to(device)).cpu() for part in frames.split(256)])
