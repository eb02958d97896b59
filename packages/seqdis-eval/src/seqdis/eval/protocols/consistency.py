"""Consistency: does a judge say the same of a clip and of what the model makes of it?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seqdis.core.analysis import evaluating, row_sources
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.results import Metric
from seqdis.eval.engine.mode import Mode
from seqdis.eval.judge.interface import Judge
from seqdis.eval.metrics.judge_consistency import consistency
from seqdis.eval.metrics.swap_accuracy import agreement

__all__ = ["PUBLISHED_CLIPS", "consistency_protocol"]

PUBLISHED_CLIPS = 1000
"""Test clips that VDSM's tables are of."""


def consistency_protocol(
    model: Disentangler,
    judge: Judge,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    mode: Mode = "corrected",
    clips: int | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """The judge on real clips and on their reconstructions (VDSM, Tab. 1 and 2).

    ``"corrected"``: every label is that of a whole clip; what the judge gets right of the generated clips stands
    beside, for two wrong answers may agree.
    ``"published"``: :data:`PUBLISHED_CLIPS` clips at most; static labels are judged frame by frame, each frame
    standing still for a whole clip, and dynamic ones of the whole sequence.

    Args:
        model: Any method.
        judge: Trained on real clips.
        test_set: Clips that nobody has learnt from.
        seed: Of the choice of clips and of the method's draws.
        mode: See above.
        clips: So many at most, chosen by the seed.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.

    Returns:
        What :func:`~seqdis.eval.metrics.judge_consistency.consistency` returns; corrected also ``generated_accuracy`` and
        ``generated_<label>_accuracy``, against the true labels.

    Raises:
        InputError: The data carry no labels.
    """
    if not test_set.labels:
        raise InputError("the data carry no labels: there is nothing that a judge could say of a clip")
    limit = min(clips or len(test_set), PUBLISHED_CLIPS if mode == "published" else len(test_set))
    order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(seed))
    chosen = sorted(order[:limit].tolist())
    seen: dict[str, list[Mapping[str, Tensor]]] = {"real": [], "generated": []}
    with evaluating(model):
        for start in range(0, len(chosen), batch_size):
            rows = chosen[start : start + batch_size]
            batch = test_set.fetch(rows).to(model.device)
            made = model.reconstruct(batch, generator=row_sources(seed, rows))
            for name, x in (("real", batch.x), ("generated", made)):
                answers = judge.predict(x, batch.mask)
                seen[name].append(answers | _still(judge, test_set, x) if mode == "published" else answers)
            if progress is not None:
                progress(start + len(rows), len(chosen))
    real, generated = (
        {name: torch.cat([part[name] for part in parts]) for name in test_set.labels}
        for parts in (seen["real"], seen["generated"])
    )
    metrics = consistency(real, generated, generator=torch.Generator().manual_seed(seed))
    if mode == "published":
        return metrics
    truth = {name: value[chosen] for name, value in test_set.all_labels().items()}
    return metrics | {
        "generated_accuracy": agreement(generated, truth),
        **{f"generated_{name}_accuracy": agreement(generated, {name: truth[name]}) for name in truth},
    }


def _still(judge: Judge, test_set: SequenceDataset, x: Tensor) -> dict[str, Tensor]:
    """Static labels of every frame alone, each ``(B, V)``."""
    held = x.flatten(0, 1)[:, None].expand(-1, x.shape[1], *x.shape[2:])
    answers = judge.predict(held)
    return {
        name: answers[name].unflatten(0, x.shape[:2])
        for name, label in test_set.labels.items()
        if label.factor == "static"
    }
