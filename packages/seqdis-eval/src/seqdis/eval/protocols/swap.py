"""Swaps before a judge, probes of the factors, leakage: labelled sequences of any modality."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from seqdis.core.analysis import (
    encode_dataset,
    evaluating,
    fixed_pairs,
    probe_outcomes,
    swap_matrix,
)
from seqdis.core.data.differing_clips import differing_clips
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.core.sequences import check_whole
from seqdis.eval.engine.batches import Noise, Swapped
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.features.opened import NO_FEATURES, FeatureNetworks
from seqdis.eval.features.scores import FrechetScores, IdentityScores, MotionScores, who_of
from seqdis.eval.judge.interface import Judge
from seqdis.eval.metrics.factor_leakage import leakage
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import (
    BatchOption,
    FeaturesOption,
    JudgeOption,
    ModeOption,
    NoiseOption,
    PairsOption,
    SamplerOptions,
    SeedsOption,
)
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.protocols.run_features import features_section, open_run_features
from seqdis.eval.protocols.scoring import score_swaps
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.clips import swap_block

__all__ = ["Swap", "swap_protocol"]


def swap_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    mode: Mode = "corrected",
    pairs: int | Sequence[tuple[int, int]] | None = None,
    judge: Judge | None = None,
    features: FeatureNetworks = NO_FEATURES,
    noise: Noise = "dynamic",
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Metrics:
    """The conditional swap, and what linear probes read from each factor.

    A judge trained on real clips says of each swap whether it shows the static labels of one clip and the
    dynamic labels of the other (DiViD, Tab. 1; BCD, Tab. 3). Its own accuracy on real clips is the first metric:
    below 0.99 the others say little. Identity is compared with the clip that lent the static factor, keypoints with
    the one that lent the dynamics (DiffSDA, Tab. 2, 10 and 11). FID and FVD compare all swapped clips with the real test
    clips that lent the dynamics, which are as many; ``fid_real`` and ``fvd_real`` so many training clips with them.

    The modes differ in feature space alone: ``"published"`` lets a failed detection add 0 to the sums of AED and
    AKD while counting it, and squares a person re-identification's distances.

    Args:
        model: A model of any method.
        train_set: Real clips, for the judge and the probes.
        test_set: Clips that nobody has learnt from; they are swapped by a fixed list of pairs.
        seed: Seed of the pairs, the judge, and the method's draws.
        mode: Mode of the protocol, as described above.
        pairs: Number of swaps, one a test clip when omitted; or the list itself, each ``(static, dynamic)``.
        judge: Instead of one trained here.
        features: AED, CSIM and AKD to the lenders, FID and FVD to the test clips, of those that are given.
        noise: Starting noise of a swap, where the method decodes from noise.
        batch_size: Swaps a pass; it does not change the result.
        progress: Called as the work advances.

    Returns:
        Metrics of :func:`~seqdis.eval.protocols.scoring.score_swaps` and
        :func:`~seqdis.core.analysis.probe_outcomes` and, beside them, ``leakage`` where both sides have labels, and AED, CSIM,
        verification accuracy, AKD, FID and FVD of the feature networks.

    Raises:
        InputError: The data carry no labels and there are no feature networks, the splits differ, or there is one pair
            alone for FID or FVD.
    """
    if not test_set.labels and not features.named():
        raise InputError("the data carry no labels: there is nothing that a judge could say of a swap")
    chosen = (
        list(pairs) if isinstance(pairs, Sequence) else fixed_pairs(len(test_set), seed=seed, count=pairs)
    )
    identity, motion = IdentityScores(features.identity), MotionScores(features.keypoints)
    frechet = FrechetScores(features)
    if frechet.wanted and len(chosen) < 2:
        raise InputError(f"fid, fvd: at least 2 swaps are needed; got {len(chosen)}")
    frechet.add_training_clips(train_set, len(chosen), seed=seed)

    def watch(swapped: Swapped) -> None:
        for lender in (swapped.static, swapped.dynamic) if features.named() else ():
            check_whole("a feature network", lender)
        identity.add(swapped.frames, swapped.static.x, who_of(swapped.static, test_set.labels))
        motion.add(swapped.frames, swapped.dynamic.x)
        frechet.add("generated", swapped.frames)
        frechet.add("real", swapped.dynamic.x)

    metrics = score_swaps(
        model,
        train_set,
        test_set,
        seed=seed,
        pairs=chosen,
        batch_size=batch_size,
        judge=judge,
        noise=noise,
        watch=watch,
        progress=progress,
    )
    estimates = identity.metrics(mode=mode, seed=seed) | motion.metrics(mode=mode, seed=seed)
    metrics |= Metrics.of(estimates | frechet.metrics(), role="swap")
    if not test_set.labels:
        return metrics
    known, held_out = (encode_dataset(model, dataset) for dataset in (train_set, test_set))
    probes = probe_outcomes(known, train_set.all_labels(), held_out, test_set.all_labels())
    if {label.factor for label in test_set.labels.values()} == {"static", "dynamic"}:
        metrics |= Metrics.of({"leakage": leakage(probes, test_set.labels)}, role="leakage")
    return metrics | Metrics.of({name: probe.estimate() for name, probe in probes.items()}, role="probe")


class Swap(Protocol):
    """Swap held-out clips and let a judge, trained on real ones, say what the results show.

    Also what linear probes read from each factor, their leakage, and AED, CSIM, AKD, FID and FVD with --features.
    The judge and the list of pairs are kept in the run's folder.
    """

    name = "swap"
    requires = "labels for a judge to learn, or --features"
    headline = ("swap_joint_accuracy", "swap_static_accuracy", "swap_dynamic_accuracy", "aed", "akd")

    class Options(
        BatchOption,
        JudgeOption,
        SamplerOptions,
        FeaturesOption,
        NoiseOption,
        PairsOption,
        SeedsOption,
        ModeOption,
    ):
        """The pairs that are swapped, how they are decoded and judged, and how often it is repeated."""

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its frames are pictures, for feature networks, or its data carry labels."""
        return bool(run.test_set.labels) or len(run.test_set.shape) == 4

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options, judges = context.options, context.judges
        self._networks = open_run_features(options.features, context.first, labelled=bool(judges))
        pairs = [
            context.pairs(run, "swap", clips=len(run.test_set), count=options.pairs, listed=options.pair_list)
            for run in context.runs
        ]

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            return swap_protocol(
                run.model, run.train_set, run.test_set, seed=seed, mode=options.mode, pairs=pairs[number],
                judge=judges[number].judge if judges else None, features=self._networks, noise=options.noise,
                batch_size=options.batch_size, progress=progress,
            )  # fmt: skip

        return context.repeat(measure, what="swapping")

    def sections(self, context: Context) -> list[Section]:
        """Every static factor with every dynamic one, of a few clips."""
        run = context.first
        batch = run.test_set.fetch(differing_clips(run.test_set, 4, seed=context.seed))
        drawn = torch.Generator().manual_seed(context.seed)
        with evaluating(run.model):
            result = swap_matrix(run.model, batch.to(run.model.device), generator=drawn)
        block = swap_block(context.showroom, result, batch, run.test_set.labels)
        note = "Test clips that differ in both factors: who or what from one, what happens from another."
        return [Section("Swaps", [block], note), *features_section(self._networks, run)]
