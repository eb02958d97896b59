"""Sections of a report about one run: swaps, reconstructions, probes, samples, traversals."""

from __future__ import annotations

import torch

from seqdis.core.analysis import (
    TraverseResult,
    evaluating,
    generate,
    probe_splits,
    swap_matrix,
    traverse,
)
from seqdis.core.data.differing_clips import differing_clips
from seqdis.core.data.subset import Subset
from seqdis.core.factors import SIDES
from seqdis.eval.engine.batches import both_reconstructions, chosen_clips
from seqdis.eval.engine.reconstruction_error import clip_errors, mean_frame
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.clips import reconstruction_cards, sample_cards, swap_block, traverse_block
from seqdis.eval.report.media import Showroom
from seqdis.eval.report.probes import probe_heat_map
from seqdis.eval.report.trained_run import ReportSettings, Stage, TrainedRun

__all__ = ["run_sections"]


def run_sections(run: TrainedRun, settings: ReportSettings, stage: Stage) -> list[Section]:
    """All that a run has: a section of swaps and one of reconstructions always, further ones where there are labels
    to probe, a prior to draw from, and components to move along.

    Args:
        run: Run that is shown.
        settings: Numbers of clips, samples and the like that are shown.
        stage: Called as the work advances.
    """
    show = Showroom(run.modality, run.config.data)
    sections = []
    with evaluating(run.model):
        stage("swaps", 0.0)
        sections.append(_swaps(run, show, settings))
        stage("reconstructions", 0.3)
        sections.append(_reconstructions(run, show, settings))
        stage("probes", 0.5)
        sections += _probes(run, settings)
        stage("samples", 0.7)
        sections += _samples(run, show, settings)
        stage("traversals", 0.85)
        sections += _traversals(run, show, settings)
        stage("done", 1.0)
    return sections


def _swaps(run: TrainedRun, show: Showroom, settings: ReportSettings) -> Section:
    batch = run.test_set.fetch(differing_clips(run.test_set, settings.clips, seed=settings.seed))
    result = swap_matrix(
        run.model, batch.to(run.model.device), generator=torch.Generator().manual_seed(settings.seed)
    )
    return Section(
        "Swaps",
        [swap_block(show, result, batch, run.test_set.labels)],
        "Test clips that the model has not learnt from, chosen by the seed such that they differ in both factors "
        "as far as labels and folders tell: who or what from one, what happens from another.",
    )


def _reconstructions(run: TrainedRun, show: Showroom, settings: ReportSettings) -> Section:
    chosen = chosen_clips(len(run.test_set), settings.reconstructions, seed=settings.seed + 1)
    batch = run.test_set.fetch(chosen)
    rebuilt = both_reconstructions(run.model, batch, chosen, seed=settings.seed)
    trivial = clip_errors(batch, mean_frame(run.train_set))
    known = ~trivial.isnan()
    if not bool(known.any()):
        text = "None of these clips has a measured entry."
    else:
        means = {kind: float(clip_errors(batch, frames)[known].mean()) for kind, frames in rebuilt.items()}
        said = " and ".join(f"{mean:.3g}" + (f" from {kind}" if kind else "") for kind, mean in means.items())
        text = (
            f"Mean squared error of these clips in natural units: {said}; the training split's mean frame as a guess: "
            f"{trivial[known].mean():.3g}."
        )
    if len(rebuilt) > 1:
        text += " The inverted noise carries whatever the factors lack; fresh noise shows the factors and nothing else."
    return Section("Reconstructions", [reconstruction_cards(show, batch, rebuilt)], text)


def _probes(run: TrainedRun, settings: ReportSettings) -> list[Section]:
    if not run.test_set.labels or not settings.probed:
        return []
    train, test = (
        Subset(data, chosen_clips(len(data), settings.probed, seed=settings.seed + 2))
        for data in (run.train_set, run.test_set)
    )
    metrics = probe_splits(run.model, train, test)
    labels = run.test_set.labels
    probes = {(label, side): metrics[f"probe_{label}_from_{side}"] for label in labels for side in SIDES}
    heat_map = probe_heat_map(probes, labels)
    note = f"Logistic regression on {len(train):,} training clips, judged on {len(test):,} test clips."
    return [Section("Probes", [heat_map], note)] if heat_map is not None else []


def _samples(run: TrainedRun, show: Showroom, settings: ReportSettings) -> list[Section]:
    if run.prior is None or not settings.samples:
        return []
    drawn = generate(
        run.model, run.prior, settings.samples, generator=torch.Generator().manual_seed(settings.seed)
    )
    return [
        Section("Samples", [sample_cards(show, drawn.frames, "sample")], "Both factors drawn from the prior.")
    ]


def _traversals(run: TrainedRun, show: Showroom, settings: ReportSettings) -> list[Section]:
    batch = run.test_set.fetch(chosen_clips(len(run.test_set), 1, seed=settings.seed)).to(run.model.device)
    results: dict[str, TraverseResult] = {}
    for components in run.components:
        for number in range(min(settings.components, len(components))):
            share = float(components.explained[number])
            results[f"{components.factor} {number} ({share:.0%} of the variance)"] = traverse(
                run.model,
                batch,
                components,
                component=number,
                amounts=torch.linspace(-1, 1, 5, dtype=torch.float64),
                generator=torch.Generator().manual_seed(settings.seed),
            )
    if not results:
        return []
    note = "A factor moved along principal components of the prior's draws, all else as it is."
    return [Section("Traversals", [traverse_block(show, results)], note)]
