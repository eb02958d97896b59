"""Reconstruction: how close decoded clips are to their sources, in pixels and in feature space."""

from __future__ import annotations

import torch

from seqdis.core.analysis import evaluating, row_sources
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.results import Metric
from seqdis.core.sequences import check_whole
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.reconstruction_error import mean_frame
from seqdis.eval.features.opened import NO_FEATURES, FeatureNetworks
from seqdis.eval.features.scores import FrechetScores, IdentityScores, MotionScores, who_of
from seqdis.eval.metrics.squared_error import clip_errors, mean_squared_error

__all__ = ["reconstruction_protocol"]


def reconstruction_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    mode: Mode = "corrected",
    clips: int | None = None,
    features: FeatureNetworks = NO_FEATURES,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Test clips encoded and decoded (DiffSDA, Tab. 3; VDSM, Tab. 3).

    The modes differ in feature space alone: ``"published"`` lets a failed detection add 0 to the sums of AED and
    AKD while counting it, and squares a person re-identification's distances.

    Args:
        model: Any method.
        train_set: Its mean frame is the baseline of the MSE.
        test_set: Clips that nobody has learnt from.
        seed: Of the choice of clips and of the method's draws.
        mode: See above.
        clips: So many at most, chosen by the seed.
        features: AED, CSIM and AKD to the source, FID and FVD to the test clips, of those that are given.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.

    Returns:
        ``mse`` in natural units squared, and what the feature networks give.

    Raises:
        InputError: No clip has a measured entry; or feature networks are given and clips have gaps.
    """
    order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(seed))
    chosen = sorted(order[: clips or len(test_set)].tolist())
    identity, motion = IdentityScores(features.identity), MotionScores(features.keypoints)
    frechet, guess = FrechetScores(features), mean_frame(train_set)
    errors, baseline = [], []
    with evaluating(model):
        for start in range(0, len(chosen), batch_size):
            rows = chosen[start : start + batch_size]
            batch = test_set.fetch(rows)
            if features.named():
                check_whole("a feature network", batch)
            there = batch.to(model.device)
            made = model.reconstruct(there, generator=row_sources(seed, rows)).cpu()
            errors.append(clip_errors(batch, made))
            baseline.append(clip_errors(batch, guess))
            identity.add(made, batch.x, who_of(batch, test_set.labels))
            motion.add(made, batch.x)
            frechet.add("generated", made)
            frechet.add("real", batch.x)
            if progress is not None:
                progress(start + len(rows), len(chosen))
    generator = torch.Generator().manual_seed(seed)
    metrics = {"mse": mean_squared_error(torch.cat(errors), torch.cat(baseline), generator=generator)}
    metrics |= identity.metrics(mode=mode, seed=seed)
    metrics |= motion.metrics(mode=mode, seed=seed)
    if len(chosen) < 2 and frechet.wanted:
        raise InputError("fid, fvd: at least 2 clips are needed; got 1")
    return metrics | frechet.metrics()
