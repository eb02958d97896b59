"""Dependent against independent prior, as DiffSDA's App. G.1 compares them, in a judge's feature space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.analysis import encode_dataset, generate
from seqdis.core.base_config import LONGEST
from seqdis.core.capabilities import decoded_part
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.priors.store import prior_config
from seqdis.core.progress import Progress
from seqdis.eval.engine.batches import batches
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.seeds import mean_over_seeds
from seqdis.eval.judge.sequence_judge import SequenceJudge
from seqdis.eval.metrics.frechet import frechet_score
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import SamplerOptions, SeedsOption
from seqdis.eval.protocols.protocol import Protocol

__all__ = ["KINDS", "Priors", "compare_priors", "judge_features"]

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
) -> dict[str, list[Estimate]]:
    """Fréchet distance of generated clips from real ones, for both kinds of prior.

    Args:
        model: Trained, in eval mode.
        judge: Judge whose features are compared.
        known: Factors of the training split.
        real: Features of real held-out clips, ``(M, F)``.
        config: Configuration of the priors but for ``dependent`` and ``seed``.
        seeds: Each fits and draws anew.
        count: Clips for each.
        batch_size: Clips a pass.
        progress: Called with clips done and in all.

    Returns:
        Distances by kind, one a seed. Both kinds decode from the same noise.
    """
    total, done = len(KINDS) * len(seeds) * count, 0
    distances: dict[str, list[Estimate]] = {kind: [] for kind in KINDS}
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


class Priors(Protocol):
    """Fit a dependent and an independent prior, and compare what they generate (DiffSDA, App. G.1).

    The Fréchet distance to real held-out clips in a judge's feature space, instead of the paper's FVD.
    """

    name = "priors"
    requires = "labels, from which a judge learns its features"
    several_runs = "refused"
    headline = ("frechet_dependent", "frechet_independent", "frechet_real")

    class Options(SamplerOptions, SeedsOption):
        """The number of clips that each prior draws, how they are decoded, and how often it is repeated."""

        seeds: int = Field(3, ge=1, le=LONGEST, description="each fits and draws anew")
        count: int = Field(
            512, ge=2, le=LONGEST, description="clips for each prior and seed; half of the test split at most"
        )

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its data carry labels."""
        return bool(run.test_set.labels)

    def measure(self, context: Context) -> Metrics:
        """The distances by both kinds of prior, by seed and as means, and that of real clips."""
        options, run = context.options, context.first
        settings = prior_config(run.config.prior, "latent_ddim", {})
        if not isinstance(settings, LatentDDIMConfig):
            raise InputError(f"{run.folder}: settings of another prior than the latent DDIM")
        trained = context.judge_of(run)
        judge = trained.judge
        if not isinstance(judge, SequenceJudge):
            raise InputError(
                f"{run.folder}: priors are compared in the features of a judge that is trained here"
            )
        with context.bar("encoding") as progress:
            known = decoded_part(run.model, encode_dataset(run.model, run.train_set, progress=progress))
        # Two halves of the test split: one to compare with, the other to show what real clips reach. Small sets raise
        # the distance, so that no more clips are generated than there are to compare with.
        total = len(run.test_set)
        order = torch.randperm(total, generator=torch.Generator().manual_seed(0)).tolist()
        size = min(options.count, total // 2)
        real, floor = (
            torch.cat([judge_features(judge, batch.x) for _, batch in batches(run.test_set, half)])
            for half in (order[:size], order[size : 2 * size])
        )
        with context.bar("generating") as progress:
            distances = compare_priors(
                run.model, judge, known, real, settings, seeds=context.seeds, count=size, progress=progress
            )
        metrics = trained.metrics
        for kind, each in distances.items():
            name = f"frechet_{kind}"
            repeated = [Metrics.of({name: one}, role="generation") for one in each]
            metrics |= mean_over_seeds(repeated)
            for seed, one in zip(context.seeds, repeated, strict=True):
                metrics |= one.in_case(f"seed {seed}")
        return metrics | Metrics.of({"frechet_real": frechet_score(floor, real)}, role="generation")
