"""What a report shows of a trained run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from seqdis.core.analysis import (
    PrincipalComponents,
    TraverseResult,
    encode_dataset,
    evaluating,
    generate,
    probe_factors,
    swap_matrix,
    traverse,
)
from seqdis.core.config import RunConfig
from seqdis.core.data.sequence import SequenceDataset, Subset
from seqdis.core.disentangler import Disentangler
from seqdis.core.modality import Modality
from seqdis.core.priors.prior import Prior
from seqdis.core.results import ResultRecord
from seqdis.eval.reconstruction import clip_errors, mean_frame
from seqdis.eval.report.blocks import Block, DataTable, Facts, Report, Section, Text
from seqdis.eval.report.clips import (
    reconstruction_cards,
    sample_cards,
    spread,
    swap_block,
    traverse_block,
)
from seqdis.eval.report.measured import metric_table, published_tables
from seqdis.eval.report.media import Showroom
from seqdis.eval.report.probes import probe_heat_map
from seqdis.eval.report.training import read_log, training_charts, validation_chart

__all__ = ["ReportSettings", "TrainedRun", "report_runs"]

Stage = Callable[[str, float], None]
"""Told what is being done, and the share of the work that is behind."""


@dataclass(frozen=True)
class ReportSettings:
    """How much a report shows.

    Attributes:
        clips: Test clips in the swap matrix.
        reconstructions: Test clips that are reconstructed.
        samples: Sequences drawn from the prior.
        components: Principal components along which a clip moves.
        probed: Sequences of each split that probes see, at most; 0 for no probes.
        seed: Of the choice of clips and of every draw.
    """

    clips: int = 5
    reconstructions: int = 6
    samples: int = 12
    components: int = 2
    probed: int = 1024
    seed: int = 0


@dataclass(frozen=True)
class TrainedRun:
    """A run and all that stands beside it.

    Attributes:
        name: On the page.
        folder: Of the run.
        model: In eval mode.
        config: That the model was built from.
        modality: That shows its sequences.
        train_set: For probes and the mean frame.
        test_set: What is shown.
        prior: Draws samples; None where there is none.
        components: Directions of traversals.
        record: Metrics that were measured before, or None.
    """

    name: str
    folder: Path
    model: Disentangler
    config: RunConfig
    modality: Modality
    train_set: SequenceDataset
    test_set: SequenceDataset
    prior: Prior | None = None
    components: Sequence[PrincipalComponents] = ()
    record: ResultRecord | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """Trainable numbers of the model."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)


def read_about(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says of the training; nothing where it is missing or damaged."""
    try:
        values = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def report_runs(
    runs: Sequence[TrainedRun],
    *,
    records: Mapping[str, ResultRecord],
    settings: ReportSettings,
    made: Mapping[str, str],
    stage: Stage | None = None,
) -> Report:
    """The report of one run, or of several beside each other.

    Args:
        runs: At least one.
        records: Results by the name of their column: those of the runs, and others to compare with.
        settings: How much is shown.
        made: How the page was made, by name: command, device, versions.
        stage: Called as the work advances.
    """
    logs = {run.name: read_log(run.folder) for run in runs}
    sections = [Section("Overview", _overview(runs))]
    datasets = list(
        dict.fromkeys([*(r.config.data.dataset for r in runs), *(r.dataset for r in records.values())])
    )
    measured: list[Block] = []
    if records:
        measured.append(
            metric_table("In brackets of dots the 95% interval; the tick on a bar is chance.", records)
        )
    else:
        measured.append(Text("No metrics.json stands beside the run, and no --results was given."))
    sections.append(Section("Metrics", [*measured, *published_tables(datasets)]))
    sections.append(Section("Training", _training(runs, logs)))
    for index, run in enumerate(runs):
        parts = _run_sections(
            run,
            settings,
            lambda text, done, i=index, r=run: _tell(stage, f"{r.name}: {text}", (i + done) / len(runs)),
        )  # type: ignore[misc]
        if len(runs) > 1:
            parts = [Section(f"{part.title}: {run.name}", part.blocks, part.note) for part in parts]
        sections += parts
    first = runs[0]
    same = {name: {getattr(run.config, name) for run in runs} for name in ("method", "modality", "preset")}
    tags = [next(iter(same[name])) for name in ("method", "modality") if len(same[name]) == 1]
    return Report(
        title=first.name if len(runs) == 1 else f"{len(runs)} runs compared",
        subtitle=f"Preset {first.config.preset}"
        if len(same["preset"]) == 1
        else ", ".join(r.name for r in runs),
        tags=[*tags, *datasets],
        sections=sections,
        footer=Facts(made, wide=("command",)),
    )


def _tell(stage: Stage | None, text: str, done: float) -> None:
    if stage is not None:
        stage(text, done)


def _facts(run: TrainedRun) -> dict[str, str]:
    config, about = run.config, run.about
    seconds = about.get("seconds")
    return {
        "method": config.method,
        "dataset": config.data.dataset,
        "sequence": f"{config.data.length} × {' × '.join(map(str, config.data.frame_shape))}",
        "parameters": f"{run.parameters:,}",
        "training clips": f"{len(run.train_set):,}",
        "test clips": f"{len(run.test_set):,}",
        "seed": str(config.train.seed),
        "trained on": str(about.get("device", "unknown")),
        "training time": _duration(float(seconds)) if isinstance(seconds, int | float) else "unknown",
    }


def _overview(runs: Sequence[TrainedRun]) -> list[Block]:
    if len(runs) == 1:
        facts = _facts(runs[0])
        versions = runs[0].about.get("versions")
        if isinstance(versions, dict):
            facts["trained with"] = ", ".join(f"{name} {version}" for name, version in versions.items())
        if runs[0].about.get("command"):
            facts["training command"] = str(runs[0].about["command"])
        return [Facts(facts, wide=("training command",))]
    facts_of = [_facts(run) for run in runs]
    rows = [[name, *(facts[name] for facts in facts_of)] for name in facts_of[0]]
    rows.append(["training command", *(str(run.about.get("command", "unknown")) for run in runs)])
    return [DataTable("What the runs are.", ["", *(run.name for run in runs)], rows)]


def _training(runs: Sequence[TrainedRun], logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Block]:
    if len(runs) == 1:
        charts: list[Block] = list(training_charts(logs[runs[0].name]))
        return charts or [Text("The run kept no log.")]
    together = validation_chart(logs)
    return [together] if together is not None else [Text("The runs kept no logs that can be compared.")]


def _run_sections(run: TrainedRun, settings: ReportSettings, stage: Stage) -> list[Section]:
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
    chosen = spread(len(run.test_set), settings.clips, seed=settings.seed)
    batch = run.test_set.fetch(chosen)
    result = swap_matrix(
        run.model, batch.to(run.model.device), generator=torch.Generator().manual_seed(settings.seed)
    )
    return Section(
        "Swaps",
        [swap_block(show, result, batch, run.test_set.labels)],
        "Test clips that the model has not learnt from, chosen by the seed alone: who or what from one, what happens "
        "from another.",
    )


def _reconstructions(run: TrainedRun, show: Showroom, settings: ReportSettings) -> Section:
    chosen = spread(len(run.test_set), settings.reconstructions, seed=settings.seed + 1)
    batch = run.test_set.fetch(chosen)
    there = batch.to(run.model.device)
    rebuilt = run.model.reconstruct(
        there.x,
        mask=there.mask,
        observed=there.observed,
        generator=torch.Generator().manual_seed(settings.seed),
    )
    errors = clip_errors(batch, rebuilt)
    notes = ["" if error != error else f"MSE {error:.3g}" for error in errors.tolist()]
    trivial = clip_errors(batch, mean_frame(run.train_set))
    known = ~errors.isnan()
    mean = (
        f"Mean squared error of these clips in natural units: {errors[known].mean():.3g}; the training split's mean frame as "
        f"a guess: {trivial[known].mean():.3g}."
        if bool(known.any())
        else "None of these clips has a measured entry."
    )
    return Section("Reconstructions", [reconstruction_cards(show, batch, rebuilt, notes)], mean)


def _probes(run: TrainedRun, settings: ReportSettings) -> list[Section]:
    if not run.test_set.labels or not settings.probed:
        return []
    train, test = (
        Subset(data, spread(len(data), settings.probed, seed=settings.seed + 2))
        for data in (run.train_set, run.test_set)
    )
    metrics = probe_factors(
        encode_dataset(run.model, train),
        train.all_labels(),
        encode_dataset(run.model, test),
        test.all_labels(),
    )
    found = probe_heat_map(metrics, run.test_set.labels)
    note = f"Logistic regression on {len(train):,} training clips, judged on {len(test):,} test clips."
    return [Section("Probes", [found], note)] if found is not None else []


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
    batch = run.test_set.fetch(spread(len(run.test_set), 1, seed=settings.seed)).to(run.model.device)
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


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
