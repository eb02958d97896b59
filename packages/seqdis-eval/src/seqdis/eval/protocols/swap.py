"""Swaps before a judge, probes of the factors, leakage: labelled sequences of any modality."""

from __future__ import annotations

from pathlib import Path

from seqdis.core.analysis import encode_dataset, probe_factors
from seqdis.core.data.sequence import SequenceDataset
from seqdis.core.disentangler import Disentangler, Progress
from seqdis.core.errors import InputError
from seqdis.core.results import Metric
from seqdis.eval.metrics.leakage import leakage
from seqdis.eval.scoring import score_swaps

__all__ = ["swap_protocol"]


def swap_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    pairs: int | None = None,
    judge_path: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """The conditional swap of the Sprites protocol, and what linear probes read from each factor.

    A judge trained on real clips says of each swap whether it shows the static labels of one clip and the
    dynamic labels of the other (S3VAE, Tab. 1; DiViD, Tab. 1). Its own accuracy on real clips is the
    first metric: below 0.99 the others say little.

    Args:
        model: Any method.
        train_set: Real clips, for the judge and the probes.
        test_set: Clips that nobody has learnt from; they are swapped by a fixed list of pairs.
        seed: Of the pairs, the judge, and the method's draws.
        pairs: How many swaps; one a test clip when omitted.
        judge_path: Where the judge is kept.
        progress: Called as the work advances.

    Returns:
        What :func:`~seqdis.eval.scoring.score_swaps` and
        :func:`~seqdis.core.analysis.probe_factors` return, and ``leakage`` where both sides have labels.

    Raises:
        InputError: The data carry no labels, or the splits differ.
    """
    if not test_set.labels:
        raise InputError("the data carry no labels: there is nothing that a judge could say of a swap")
    metrics = score_swaps(
        model,
        train_set,
        test_set,
        seed=seed,
        pairs=pairs,
        judge_path=judge_path,
        progress=progress,
    )
    known, held_out = (encode_dataset(model, dataset) for dataset in (train_set, test_set))
    probes = probe_factors(known, train_set.all_labels(), held_out, test_set.all_labels())
    if {label.factor for label in test_set.labels.values()} == {"static", "dynamic"}:
        metrics["leakage"] = leakage(probes, test_set.labels)
    return metrics | probes
