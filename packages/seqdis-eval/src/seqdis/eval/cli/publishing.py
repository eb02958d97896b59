"""Files and lines that a measurement leaves: the JSON file, the page beside it, and what is printed."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqdis.core.cli.output import print_json, print_line, print_table
from seqdis.core.errors import InputError
from seqdis.core.metric import Metric, Metrics
from seqdis.core.results import ResultRecord
from seqdis.eval.cli.records import with_training
from seqdis.eval.engine.mode import Mode
from seqdis.eval.judge.judge_accuracy import low_accuracy_note
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Block, Facts, Report, Section
from seqdis.eval.report.measured import case_tables, metric_table, published_tables
from seqdis.eval.report.page import write_report

__all__ = ["Publication", "command_words", "publish", "record_path"]

_ALWAYS = ("mode", "seeds")


@dataclass(frozen=True)
class Publication:
    """A measurement that is done.

    Attributes:
        protocol: Protocol that was measured by.
        context: Runs, options and device of the measurement.
        metrics: Metrics that were measured.
        path: Path of the JSON file; the page is ``report.html`` beside ``metrics.json``, else of the file's name.
        started: ``time.perf_counter()`` at the start.
    """

    protocol: Protocol
    context: Context
    metrics: Metrics
    path: Path
    started: float


def record_path(protocol: str, folders: Sequence[Path], out: Path | None, mode: Mode) -> Path:
    """The JSON file of a measurement.

    Raises:
        InputError: ``--out`` is no JSON file, or is missing where there are several runs.
    """
    if out is None:
        if len(folders) > 1:
            raise InputError(f"{len(folders)} runs: give --out FILE.json")
        name = protocol if mode == "corrected" else f"{protocol}-{mode}"
        return folders[0] / "eval" / name / "metrics.json"
    if out.suffix.lower() != ".json":
        raise InputError(f"--out {out}: metrics are one .json file")
    return out


def command_words(protocol: str, context: Context) -> list[str]:
    """The command as a person types it: mode and seeds always, other options where they are not the default."""
    words = ["seqdis", "eval", protocol, *(str(run.folder) for run in context.runs)]
    fields = type(context.options).model_fields
    for name, field in fields.items():
        value, flag = getattr(context.options, name), f"--{name.replace('_', '-')}"
        if name not in _ALWAYS and value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag.removeprefix('--')}")
        else:
            words += [w for v in (value if isinstance(value, tuple) else [value]) for w in (flag, str(v))]
    return [*words, "--seed", str(context.seed)]


def publish(done: Publication, *, as_json: bool = False) -> ResultRecord:
    """Write the JSON file and the page beside it, and show the figures."""
    context, metrics, name = done.context, done.metrics, done.protocol.name
    words = command_words(name, context)
    record = _record(done, words)
    record.save(done.path)
    page = (
        done.path.with_name("report.html")
        if done.path.name == "metrics.json"
        else done.path.with_suffix(".html")
    )
    write_report(_page(done, record, words), page)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return record
    config = context.first.config
    title = f"{name} of {config.method} on {config.data.dataset} ({context.mode})"
    if metrics.plain():
        print_table(title, ["metric", "value", "chance"], [_row(metric) for metric in metrics.plain()])
    by_case = metrics.by_case()
    names = list(dict.fromkeys(metric for own in by_case.values() for metric in own))
    if names:
        rows = [
            [case, *(f"{own[n].value:.4g}" if n in own else "" for n in names)]
            for case, own in by_case.items()
        ]
        print_table(f"{title}, by case", ["case", *names], rows)
    for line in done.protocol.remarks(context, metrics):
        print_line(line)
    print_line(f"written: {done.path}, {page}")
    return record


def _record(done: Publication, words: Sequence[str]) -> ResultRecord:
    context = done.context
    paths = [*(["--data", str(context.data)] if context.data else []), "--out", str(done.path)]
    record = ResultRecord.of_run(
        context.first.config, done.metrics, name=done.path.stem, command=shlex.join([*words, *paths]),
        seed=context.seed, device=context.first.model.device, seconds=time.perf_counter() - done.started,
    )  # fmt: skip
    folders = [run.folder for run in context.runs]
    compared = done.protocol.several_runs == "compared"
    record = with_training(record, folders, drawn=done.protocol.draws_from_prior, compared=compared)
    about = {
        "protocol": done.protocol.name,
        "mode": context.mode,
        "noise": done.protocol.swap_noise(context.options),
        "headline": done.protocol.first_metrics(done.metrics),
    }
    return record.model_copy(update=about)


def _page(done: Publication, record: ResultRecord, words: Sequence[str]) -> Report:
    context, config = done.context, done.context.first.config
    caption = "Value and 95% interval; the mark on a bar is what chance or the trivial baseline reaches."
    records = {config.preset or config.method: record}
    measured: list[Block] = [
        metric_table(caption, records),
        *case_tables(records),
        *published_tables([config.data.dataset]),
    ]
    facts = {
        "device": record.device,
        "seeds": ", ".join(map(str, context.seeds)),
        "mode": context.mode,
        **({"noise of swaps": record.noise} if record.noise else {}),
        "made with": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "command": shlex.join(words),
    }
    note = low_accuracy_note(done.metrics.get("judge_accuracy")) or ""
    sections = [Section("Metrics", measured, note), *done.protocol.sections(context)]
    return Report(
        title=f"{done.protocol.name.capitalize()}: {config.preset or config.method}",
        subtitle=f"{context.mode} mode",
        tags=[config.method, config.modality, config.data.dataset],
        sections=sections,
        footer=Facts(facts, wide=("made with",), code=("command",)),
    )


def _row(metric: Metric) -> list[str]:
    spread = "" if metric.std is None else f" ± {metric.std:.2g}"
    return [
        metric.name,
        f"{metric.value:.4g}{spread}",
        "" if metric.chance is None else f"{metric.chance:.4g}",
    ]
