"""Conditional swaps put before a judge: the scorer that the demo and the examples call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.analysis import fixed_pairs
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.eval.engine.batches import Noise, Swapped, swaps
from seqdis.eval.engine.progress import stage
from seqdis.eval.engine.reconstruction_error import measure_reconstruction
from seqdis.eval.judge.interface import Judge
from seqdis.eval.judge.judge_cache import judge_for
from seqdis.eval.judge.judge_training import predict_all
from seqdis.eval.metrics.swap_accuracy import agreement, swap_metrics

__all__ = ["score_swaps"]


def score_swaps(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    pairs: int | Sequence[tuple[int, int]] | None = None,
    batch_size: int = 64,
    judge: Judge | None = None,
    judge_path: Path | None = None,
    noise: Noise = "dynamic",
    watch: Callable[[Swapped], None] | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Swap the factors of held-out clips, and ask a judge for the labels of what comes out.

    Each test clip gives its static factor to another one by the fixed list
    :func:`~seqdis.core.analysis.fixed_pairs`. The static labels must be those of the clip that lent
    the static factor, and the dynamic labels those of the clip that lent the dynamics.

    Args:
        model: A model of any method.
        train_set: Real clips that the judge learns from.
        test_set: Real clips that nobody has learnt from.
        seed: Seed of the pairs, the judge, and the method's draws.
        pairs: Number of swaps and reconstructions, one a test clip when omitted or larger; or the list itself,
            each ``(static, dynamic)``.
        batch_size: Clips a pass; it does not change the result.
        judge: Instead of a :class:`~seqdis.eval.judge.sequence_judge.SequenceJudge` trained here.
        judge_path: File in which the trained judge is kept for the next time.
        noise: Starting noise of a swap, where the method decodes from noise.
        watch: Called with each batch of swaps.
        progress: Called as the work advances.

    Returns:
        ``judge_accuracy`` (real test clips with all labels right) and ``judge_<label>_accuracy``;
        ``swap_static_accuracy``, ``swap_dynamic_accuracy``, ``swap_joint_accuracy`` (all labels of
        a side, or of both, right) and ``swap_<label>_accuracy``; ``reconstruction_mse``, and where the method inverts
        ``decoding_mse``. Chance
        is that of :func:`~seqdis.eval.metrics.swap_accuracy.majority_chance`. Without labels, the last ones alone.

    Raises:
        InputError: The splits' labels or shapes differ, or there are too few clips.
    """
    if train_set.labels != test_set.labels or train_set.shape != test_set.shape:
        raise InputError(
            f"scoring: train has {train_set.shape} with labels {sorted(train_set.labels)}, "
            f"test {test_set.shape} with {sorted(test_set.labels)}; they must agree"
        )
    chosen = (
        list(pairs) if isinstance(pairs, Sequence) else fixed_pairs(len(test_set), seed=seed, count=pairs)
    )
    metrics = Metrics()
    if test_set.labels:
        if judge is None:
            judge = judge_for(
                train_set, test_set, path=judge_path, seed=seed, device=model.device,
                progress=stage(progress, 0.0, 0.2),
            )[0]  # fmt: skip
        truth = test_set.all_labels()
        seen = predict_all(judge, test_set)
        by_label = {f"judge_{name}_accuracy": agreement(seen, {name: truth[name]}) for name in truth}
        metrics |= Metrics.of({"judge_accuracy": agreement(seen, truth), **by_label}, role="judge")
        part = stage(progress, 0.2, 0.65)
        predicted = _judge_swaps(
            model,
            judge,
            test_set,
            chosen,
            noise=noise,
            seed=seed,
            batch_size=batch_size,
            watch=watch,
            progress=part,
        )
        lender = {side: torch.tensor([pair[i] for pair in chosen]) for i, side in enumerate(SIDES)}
        wanted = {name: truth[name][lender[label.factor]] for name, label in test_set.labels.items()}
        metrics |= Metrics.of(swap_metrics(test_set.labels, predicted, wanted), role="swap")
    elif watch is not None:
        part = stage(progress, 0.0, 0.65)
        _judge_swaps(
            model,
            None,
            test_set,
            chosen,
            noise=noise,
            seed=seed,
            batch_size=batch_size,
            watch=watch,
            progress=part,
        )
    return metrics | measure_reconstruction(
        model, train_set, test_set, indices=[static for static, _ in chosen], seed=seed,
        batch_size=batch_size, progress=stage(progress, 0.65 if test_set.labels else 0.0, 1.0),
    )  # fmt: skip


def _judge_swaps(
    model: Disentangler,
    judge: Judge | None,
    test_set: SequenceDataset,
    pairs: Sequence[tuple[int, int]],
    *,
    noise: Noise,
    seed: int,
    batch_size: int,
    watch: Callable[[Swapped], None] | None,
    progress: Progress | None,
) -> dict[str, Tensor]:
    parts = []
    for swapped in swaps(
        model, test_set, pairs, noise=noise, seed=seed, batch_size=batch_size, progress=progress
    ):
        if judge is not None:
            parts.append(judge.predict(swapped.frames, swapped.dynamic.mask))
        if watch is not None:
            watch(swapped)
    return {name: torch.cat([part[name] for part in parts]) for name in (judge.labels if judge else ())}
