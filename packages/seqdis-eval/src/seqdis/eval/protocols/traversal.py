"""Traversal: does moving one factor leave the other alone?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.analysis import (
    PrincipalComponents,
    bootstrap_mean,
    evaluating,
    principal_components,
    row_sources,
    traverse,
)
from seqdis.core.base_config import LONGEST, WIDEST
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES, Side
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.priors.prior import Prior
from seqdis.core.progress import Progress
from seqdis.eval.engine.batches import chosen_clips
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.progress import stage
from seqdis.eval.judge.interface import Judge
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import JudgeOption, ModeOption, SamplerOptions, SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.clips import traverse_block

__all__ = ["DRAWS", "Traversal", "traversal_amounts", "traversal_directions", "traversal_protocol"]

DRAWS = 2**15
"""Samples of the prior that the components are of (DiffSDA, Sec. 4.3)."""


def traversal_directions(
    prior: Prior, *, mode: Mode = "corrected", seed: int = 0, components: int = 4, draws: int = DRAWS
) -> dict[Side, PrincipalComponents]:
    """The first principal components of each factor of a prior's samples.

    ``"corrected"``: of standardised samples, the units that Eq. 6 moves in. ``"published"``: of the samples as they
    are, as the paper's text reads; where entries differ in scale, Eq. 6 then leaves the direction of largest variance.

    Args:
        prior: Fitted to a model's factors, or its own.
        mode: Mode of the protocol, as described above.
        seed: Seed of the samples.
        components: So many of each factor at most.
        draws: Number of samples.
    """
    drawn = prior.sample(draws, generator=torch.Generator().manual_seed(seed))
    return {
        side: principal_components(drawn, side, keep=components, standardised=mode == "corrected")
        for side in SIDES
    }


def traversal_protocol(
    model: Disentangler,
    directions: Mapping[Side, PrincipalComponents],
    judge: Judge,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    clips: int = 64,
    span: float = 1.0,
    points: int = 5,
    batch_size: int = 16,
    progress: Progress | None = None,
) -> Metrics:
    """Clips moved along the first principal components of each factor, before a judge (DiffSDA, Sec. 4.3, Eq. 6).

    The judge's labels at ``α = 0``, the reconstruction's, are what the others are compared with: what is lost in
    decoding is not laid at the traversal's door. The paper shows pictures and prints no figures.

    Args:
        model: A model of any method.
        directions: Directions of :func:`traversal_directions`; its mode is that of the protocol.
        judge: Trained on real clips.
        test_set: Clips that nobody has learnt from.
        seed: Seed of the choice of clips and of the decoder's draws.
        clips: So many of the test clips at most.
        span: ``α`` goes from ``−span`` to ``span``.
        points: Places along the way, an odd number: the middle one is ``α = 0``.
        batch_size: Clips a pass; it does not change the result.
        progress: Called as the work advances.

    Returns:
        Metrics of each factor that moves: ``<factor>_keeps_<other>``, the share of moved clips in which all labels of the
        other factor stay (chance: that they are those of another clip), and ``<factor>_changes``, the share in which
        a label of its own changes; ``keeps``, ``changes`` and ``explained`` (share of the samples' variance)
        ``@<factor> <component>``. A side without labels has no figures.

    Raises:
        InputError: The data carry no labels, or ``points`` is even or below 3.
    """
    if not test_set.labels:
        raise InputError("the data carry no labels: there is nothing that a judge could see change")
    if points < 3 or points % 2 == 0:
        raise InputError(f"points {points}; allowed: odd numbers from 3, for the middle one is α = 0")
    chosen = chosen_clips(len(test_set), clips, seed=seed)
    amounts = traversal_amounts(span, points)
    metrics, cases = Metrics(), Metrics()
    total, done = sum(map(len, directions.values())), 0
    for side, components in directions.items():
        kept, changed = [], []
        for component in range(len(components)):
            report, done = stage(progress, done / total, (done + 1) / total), done + 1
            seen: list[Mapping[str, Tensor]] = []
            with evaluating(model):
                for start in range(0, len(chosen), batch_size):
                    rows = chosen[start : start + batch_size]
                    batch = test_set.fetch(rows).to(model.device)
                    moved = traverse(
                        model, batch, components, component=component, amounts=amounts,
                        generator=row_sources(seed, rows),
                    )  # fmt: skip
                    mask = None if batch.mask is None else batch.mask.repeat_interleave(points, dim=0)
                    answers = judge.predict(moved.frames.flatten(0, 1), mask)
                    seen.append({n: value.unflatten(0, (len(rows), points)) for n, value in answers.items()})
                    if report is not None:
                        report(start + len(rows), len(chosen))
            predictions = {name: torch.cat([one[name] for one in seen]) for name in test_set.labels}
            same = {s: _unchanged(predictions, test_set.labels, s, points // 2) for s in SIDES}
            other: Side = "dynamic" if side == "static" else "static"
            moved_by = {}
            if (keeps := same[other]) is not None:
                kept.append(keeps)
                moved_by["keeps"] = _share(keeps, seed)
            if (stays := same[side]) is not None:
                changed.append(1 - stays)
                moved_by["changes"] = _share(1 - stays, seed)
            moved_by["explained"] = Estimate(value=float(components.explained[component]), unit="share")
            cases |= Metrics.of(moved_by, role="traversal", case=f"{side} {component}")
        own = {}
        if kept:
            chance = _shared_by_chance(predictions, test_set.labels, other, points // 2)
            own[f"{side}_keeps_{other}"] = _share(torch.stack(kept).mean(0), seed, chance)
        if changed:
            own[f"{side}_changes"] = _share(torch.stack(changed).mean(0), seed)
        metrics |= Metrics.of(own, role="traversal")
    return metrics | cases


def traversal_amounts(span: float, points: int) -> Tensor:
    """``α`` from ``−span`` to ``span``, ``(points,)``; the middle one is 0 exactly."""
    return span * torch.linspace(-1, 1, points, dtype=torch.float64).round(decimals=9)


def _unchanged(
    predictions: Mapping[str, Tensor], labels: Mapping[str, Label], side: Side, middle: int
) -> Tensor | None:
    """Share of each clip's moved places in which all labels of a side are those of ``α = 0``, ``(N,)``."""
    own = [predictions[name] for name, label in labels.items() if label.factor == side]
    if not own:
        return None
    same = torch.stack([value == value[:, middle : middle + 1] for value in own]).all(0)
    moved = torch.arange(same.shape[1]) != middle
    return same[:, moved].double().mean(1)


def _shared_by_chance(
    predictions: Mapping[str, Tensor], labels: Mapping[str, Label], side: Side, middle: int
) -> float | None:
    """Share of pairs of different clips whose labels of a side all agree at ``α = 0``; None of a single clip."""
    own = torch.stack(
        [predictions[n][:, middle] for n, label in labels.items() if label.factor == side], dim=1
    )
    counts = own.unique(dim=0, return_counts=True)[1].double()
    n = len(own)
    return float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else None


def _share(clips: Tensor, seed: int, chance: float | None = None) -> Estimate:
    interval = bootstrap_mean(clips, generator=torch.Generator().manual_seed(seed))
    return Estimate(value=float(clips.mean()), unit="share", chance=chance, ci95=interval, n=len(clips))


class Traversal(Protocol):
    """Move held-out clips along principal components: does a judge see the other factor stay (DiffSDA, Eq. 6)?

    The judge is kept in the run's folder; a method without a prior of its own needs `seqdis prior fit`.
    """

    name = "traversal"
    requires = "labels for a judge to learn"
    draws_from_prior = True
    noise = "dynamic"
    headline = ("static_keeps_dynamic", "dynamic_keeps_static", "static_changes")

    class Options(JudgeOption, SamplerOptions, SeedsOption, ModeOption):
        """The components that are moved, how far, and what samples and clips are used."""

        clips: int = Field(64, ge=1, le=LONGEST, description="test clips at most")
        components: int = Field(4, ge=1, le=WIDEST, description="the first so many of each factor")
        span: float = Field(1.0, ge=0.01, le=1e6, description="α goes from -span to span (Eq. 6)")
        points: int = Field(5, ge=3, le=WIDEST, description="values of α along the way; an odd number")
        draws: int = Field(DRAWS, ge=2, le=LONGEST, description="samples of the prior for the components")
        batch_size: int = Field(
            16, ge=1, le=LONGEST, description="clips a pass; it does not change the figures"
        )

    def check(self, options: Any, folders: Sequence[Path]) -> None:
        """The number of points is odd."""
        if options.points % 2 == 0:
            raise InputError(f"--points {options.points}: must be odd, for the middle one is α = 0")

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its data carry labels."""
        return bool(run.test_set.labels)

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options = context.options
        self._directions = [
            traversal_directions(
                context.prior(run), mode=options.mode, seed=context.seed, components=options.components,
                draws=options.draws,
            )
            for run in context.runs
        ]  # fmt: skip
        judges = context.judges

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            return judges[number].metrics | traversal_protocol(
                run.model, self._directions[number], judges[number].judge, run.test_set, seed=seed,
                clips=options.clips, span=options.span, points=options.points, batch_size=options.batch_size,
                progress=progress,
            )  # fmt: skip

        return context.repeat(measure, what="traversing")

    def sections(self, context: Context) -> list[Section]:
        """One clip moved along the first components of both factors."""
        run, options = context.first, context.options
        amounts = traversal_amounts(options.span, options.points)
        rows = chosen_clips(len(run.test_set), 1, seed=context.seed)
        batch, results = run.test_set.fetch(rows).to(run.model.device), {}
        with evaluating(run.model):
            for side, components in self._directions[0].items():
                for number in range(len(components)):
                    share = float(components.explained[number])
                    results[f"{side} {number} ({share:.0%} of the variance)"] = traverse(
                        run.model, batch, components, component=number, amounts=amounts,
                        generator=row_sources(context.seed, rows),
                    )  # fmt: skip
        note = (
            "One test clip that the seed alone chooses; a factor moves along components of the prior's draws."
        )
        return [Section("Traversals", [traverse_block(context.showroom, results)], note)]
