"""The report of one run, or of several beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqdis.core.results import ResultRecord
from seqdis.eval.report.blocks import Block, DataTable, Facts, Report, Section, Text
from seqdis.eval.report.measured import case_tables, metric_table, published_tables
from seqdis.eval.report.sections import run_sections
from seqdis.eval.report.trained_run import ReportSettings, Stage, TrainedRun
from seqdis.eval.report.training import read_log, training_charts, validation_chart

__all__ = ["report_runs"]


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
        runs: Runs, at least one.
        records: Results by the name of their column: those of the runs, and others to compare with.
        settings: Amounts of what is shown.
        made: Facts on how the page was made, by name: command, device, versions.
        stage: Called as the work advances.
    """
    logs = {run.name: read_log(run.folder) for run in runs}
    datasets = list(
        dict.fromkeys([run.config.data.dataset for run in runs] + [r.dataset for r in records.values()])
    )
    overview = Section("Overview", _overview(runs))
    metrics = Section("Metrics", [*_measured(records), *published_tables(datasets)])
    training = Section("Training", _training(logs))
    if len(runs) == 1:
        swaps, *rest = run_sections(runs[0], settings, _part(stage, runs, 0))
        sections = [overview, swaps, metrics, *rest, training]
    else:
        sections = [overview, metrics, training]
        for index, run in enumerate(runs):
            parts = run_sections(run, settings, _part(stage, runs, index))
            sections += [Section(f"{part.title}: {run.name}", part.blocks, part.note) for part in parts]
    common = {name: {str(getattr(r.config, name)) for r in runs} for name in ("method", "modality", "preset")}
    names = ", ".join(run.name for run in runs)
    return Report(
        title=names if len(runs) == 1 else f"{len(runs)} runs compared",
        subtitle=f"Preset {runs[0].config.preset}" if len(common["preset"]) == 1 else names,
        tags=[*sorted(common["method"]), *sorted(common["modality"]), *datasets],
        sections=sections,
        footer=Facts(made, wide=("made with",), code=("command",)),
    )


def _part(stage: Stage | None, runs: Sequence[TrainedRun], index: int) -> Stage:
    def tell(text: str, done: float) -> None:
        if stage is not None:
            stage(f"{runs[index].name}: {text}", (index + done) / len(runs))

    return tell


def _measured(records: Mapping[str, ResultRecord]) -> list[Block]:
    if not records:
        return [Text("No metrics.json stands beside the run, and no --results was given.")]
    caption = "Value and 95% interval; the mark on a bar is what chance or the trivial baseline reaches."
    return [metric_table(caption, records), *case_tables(records)]


def _facts(run: TrainedRun) -> dict[str, str]:
    config, about = run.config, run.about
    return {
        "method": config.method,
        "dataset": config.data.dataset,
        "sequence": f"{config.data.length} × {' × '.join(map(str, config.data.frame_shape))}",
        "parameters": f"{run.parameters:,}",
        "training clips": f"{len(run.train_set):,}",
        "test clips": f"{len(run.test_set):,}",
        "seed": str(config.train.seed),
        "trained on": about.device or "unknown",
        "training time": "unknown" if about.seconds is None else _duration(about.seconds),
    }


def _overview(runs: Sequence[TrainedRun]) -> list[Block]:
    if len(runs) == 1:
        facts = _facts(runs[0])
        about = runs[0].about
        if about.versions:
            facts["trained with"] = ", ".join(f"{name} {version}" for name, version in about.versions.items())
        if about.command:
            facts["training command"] = about.command
        return [Facts(facts, wide=("trained with",), code=("training command",))]
    facts_of = [_facts(run) for run in runs]
    rows = [[name, *(facts[name] for facts in facts_of)] for name in facts_of[0]]
    rows.append(["training command", *(run.about.command or "unknown" for run in runs)])
    return [DataTable("What the runs are.", ["", *(run.name for run in runs)], rows)]


def _training(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Block]:
    if len(logs) == 1:
        charts: list[Block] = [chart for records in logs.values() for chart in training_charts(records)]
        return charts or [Text("The run kept no log.")]
    validation = validation_chart(logs)
    return [validation] if validation is not None else [Text("The runs kept no logs that can be compared.")]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
