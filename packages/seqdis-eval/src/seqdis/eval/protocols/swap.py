"""Swaps before a judge, probes of the factors, leakage: labelled sequences of any modality."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from seqdis.core.analysis import encode_dataset, fixed_pairs, probe_outcomes
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.results import Metric
from seqdis.core.sequences import Sequences, check_whole
from seqdis.eval.engine.mode import Mode
from seqdis.eval.features.opened import NO_FEATURES, FeatureNetworks
from seqdis.eval.features.scores import FrechetScores, IdentityScores, MotionScores, who_of
from seqdis.eval.judge.interface import Judge
from seqdis.eval.metrics.factor_leakage import leakage
from seqdis.eval.protocols.scoring import score_swaps

__all__ = ["swap_protocol"]


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
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """The conditional swap, and what linear probes read from each factor.

    A judge trained on real clips says of each swap whether it shows the static labels of one clip and the
    dynamic labels of the other (DiViD, Tab. 1; BCD, Tab. 3). Its own accuracy on real clips is the first metric:
    below 0.99 the others say little. Identity is compared with the clip that lent the static factor, keypoints with
    the one that lent the dynamics (DiffSDA, Tab. 2, 10 and 11). FID and FVD compare all swapped clips with the real test
    clips that lent the dynamics, which are as many; ``fid_real`` and ``fvd_real`` so many training clips with them.

    The modes differ in feature space alone: ``"published"`` lets a failed detection add 0 to the sums of AED and
    AKD while counting it, and squares a person re-identification's distances.

    Args:
        model: Any method.
        train_set: Real clips, for the judge and the probes.
        test_set: Clips that nobody has learnt from; they are swapped by a fixed list of pairs.
        seed: Of the pairs, the judge, and the method's draws.
        mode: See above.
        pairs: How many swaps, one a test clip when omitted; or the list itself, each ``(static, dynamic)``.
        judge: Instead of one trained here.
        features: AED, CSIM and AKD to the lenders, FID and FVD to the test clips, of those that are given.
        progress: Called as the work advances.

    Returns:
        What :func:`~seqdis.eval.protocols.scoring.score_swaps` and
        :func:`~seqdis.core.analysis.probe_outcomes` return, ``leakage`` where both sides have labels, and AED, CSIM,
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

    def watch(swapped: Tensor, static: Sequences, dynamic: Sequences) -> None:
        for lender in (static, dynamic) if features.named() else ():
            check_whole("a feature network", lender)
        identity.add(swapped, static.x, who_of(static, test_set.labels))
        motion.add(swapped, dynamic.x)
        frechet.add("generated", swapped)
        frechet.add("real", dynamic.x)

    metrics = score_swaps(
        model,
        train_set,
        test_set,
        seed=seed,
        pairs=chosen,
        judge=judge,
        watch=watch,
        progress=progress,
    )
    metrics |= identity.metrics(mode=mode, seed=seed) | motion.metrics(mode=mode, seed=seed)
    metrics |= frechet.metrics()
    if not test_set.labels:
        return metrics
    known, held_out = (encode_dataset(model, dataset) for dataset in (train_set, test_set))
    probes = probe_outcomes(known, train_set.all_labels(), held_out, test_set.all_labels())
    if {label.factor for label in test_set.labels.values()} == {"static", "dynamic"}:
        metrics["leakage"] = leakage(probes, test_set.labels)
    return metrics | {name: probe.metric() for name, probe in probes.items()}
