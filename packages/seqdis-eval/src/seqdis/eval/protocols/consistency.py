"""Consistency: does a judge say the same of a clip and of what the model makes of it?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.eval.engine.batches import chosen_clips, reconstruct_clips, reconstructions
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.judge.interface import Judge
from seqdis.eval.metrics.judge_consistency import consistency
from seqdis.eval.metrics.swap_accuracy import agreement
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import (
    BatchOption,
    ClipsOption,
    JudgeOption,
    ModeOption,
    SamplerOptions,
    SeedsOption,
)
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.clips import reconstruction_cards

__all__ = ["PUBLISHED_CLIPS", "Consistency", "consistency_protocol"]

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
) -> Metrics:
    """The judge on real clips and on their reconstructions (VDSM, Tab. 1 and 2).

    ``"corrected"``: every label is that of a whole clip; what the judge gets right of the generated clips stands
    beside, for two wrong answers may agree.
    ``"published"``: :data:`PUBLISHED_CLIPS` clips at most; static labels are judged frame by frame, each frame
    standing still for a whole clip, and dynamic ones of the whole sequence.

    Args:
        model: A model of any method.
        judge: Trained on real clips.
        test_set: Clips that nobody has learnt from.
        seed: Seed of the choice of clips and of the method's draws.
        mode: Mode of the protocol, as described above.
        clips: Largest number of clips, chosen by the seed.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.

    Returns:
        Metrics of :func:`~seqdis.eval.metrics.judge_consistency.consistency`; corrected also ``generated_accuracy`` and
        ``generated_<label>_accuracy``, against the true labels.

    Raises:
        InputError: The data carry no labels.
    """
    if not test_set.labels:
        raise InputError("the data carry no labels: there is nothing that a judge could say of a clip")
    limit = min(clips or len(test_set), PUBLISHED_CLIPS if mode == "published" else len(test_set))
    chosen = chosen_clips(len(test_set), limit, seed=seed)
    seen: dict[str, list[Mapping[str, Tensor]]] = {"real": [], "generated": []}
    for made in reconstructions(model, test_set, chosen, seed=seed, batch_size=batch_size, progress=progress):
        for name, x in (("real", made.source.x), ("generated", made.frames)):
            answers = judge.predict(x, made.source.mask)
            seen[name].append(answers | _still(judge, test_set, x) if mode == "published" else answers)
    real, generated = (
        {name: torch.cat([part[name] for part in parts]) for name in test_set.labels}
        for parts in (seen["real"], seen["generated"])
    )
    drawn = torch.Generator().manual_seed(seed)
    metrics = Metrics.of(consistency(real, generated, generator=drawn), role="consistency")
    if mode == "published":
        return metrics
    truth = {name: value[chosen] for name, value in test_set.all_labels().items()}
    right = {
        "generated_accuracy": agreement(generated, truth),
        **{f"generated_{name}_accuracy": agreement(generated, {name: truth[name]}) for name in truth},
    }
    return metrics | Metrics.of(right, role="consistency")


def _still(judge: Judge, test_set: SequenceDataset, x: Tensor) -> dict[str, Tensor]:
    """Static labels of every frame alone, each ``(B, V)``."""
    held = x.flatten(0, 1)[:, None].expand(-1, x.shape[1], *x.shape[2:])
    answers = judge.predict(held)
    return {
        name: answers[name].unflatten(0, x.shape[:2])
        for name, label in test_set.labels.items()
        if label.factor == "static"
    }


class Consistency(Protocol):
    """Ask a judge about held-out clips and about their reconstructions: how often it says the same (VDSM, Tab. 1, 2).

    The judge is kept in the run's folder.
    """

    name = "consistency"
    requires = "labels for a judge to learn"
    headline = ("consistency", "generated_accuracy")

    class Options(BatchOption, JudgeOption, SamplerOptions, ClipsOption, SeedsOption, ModeOption):
        """The number of clips that are judged, by which judge, how they are decoded, and how often it is repeated."""

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its data carry labels."""
        return bool(run.test_set.labels)

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options = context.options
        judges = context.judges

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            return judges[number].metrics | consistency_protocol(
                run.model, judges[number].judge, run.test_set, seed=seed, mode=options.mode,
                clips=context.clips, batch_size=options.batch_size, progress=progress,
            )  # fmt: skip

        return context.repeat(measure, what="comparing")

    def sections(self, context: Context) -> list[Section]:
        """Clips and reconstructions of which the judge says different things; where it never does, any."""
        run, judge, seed = context.first, context.judges[0].judge, context.seed
        pool = chosen_clips(len(run.test_set), 16, seed=seed)
        batch = run.test_set.fetch(pool)
        rebuilt = reconstruct_clips(run.model, batch, pool, seed=seed)
        real, made = judge.predict(batch.x, batch.mask), judge.predict(rebuilt, batch.mask)
        differs = torch.stack([real[name] != made[name] for name in run.test_set.labels]).any(0)
        order = torch.argsort((~differs).long(), stable=True)[:6].tolist()
        notes = []
        for row in order:
            words = [
                _change(name, label.classes[int(real[name][row])], label.classes[int(made[name][row])])
                for name, label in run.test_set.labels.items()
                if real[name][row] != made[name][row]
            ]
            notes.append(", ".join(words) or "the same")
        some = run.test_set.fetch([pool[row] for row in order])
        note = (
            f"The judge says different things of {int(differs.sum())} of {len(pool)} clips that the seed alone "
            "chooses; these come first, with what it says of the source and of the reconstruction."
        )
        cards = reconstruction_cards(context.showroom, some, {"": rebuilt[order]}, notes)
        return [Section("Disagreements", [cards], note)]


def _change(name: str, before: str, after: str) -> str:
    change = f"{before} → {after}"
    return change if before.startswith(name) else f"{name}: {change}"
