"""The page of one dataset: every figure, the commands and the pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seqdis.core.metric import Metric, Metrics
from seqdis.core.results import BenchmarkRecord, ResultRecord
from seqdis.eval.report.markdown import duration, markdown_table, metric_value, number
from seqdis.eval.report.measured import published_tables
from seqdis.eval.report.overview import GENERATED, Results, budget

__all__ = ["benchmark_page", "dataset_page"]

_INTRO = """↑ means that higher is better, ↓ that lower is. *Chance* is what guessing, or the trivial baseline of the metric,
reaches on the same clips; in brackets the 95% confidence interval. [What each metric is]({docs}). Overview: [RESULTS]({top}).
"""


def _relative(path: Path, page: Path) -> str:
    return Path(os.path.relpath(path, page.parent)).as_posix()


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def _metric_row(metric: Metric) -> tuple[str, ...]:
    interval = f" [{number(metric.ci95[0])}, {number(metric.ci95[1])}]" if metric.ci95 else ""
    count = "–" if metric.n is None else str(metric.n)
    return (
        f"{metric.name} {metric.arrow}",
        f"{metric_value(metric)}{interval}",
        number(metric.chance),
        count,
    )


def _case_table(metrics: Metrics) -> list[str]:
    """Metrics with cases as one table: a row a case, a column a metric."""
    by_case = metrics.by_case()
    arrows = {m.name: m.arrow for own in by_case.values() for m in own.values()}
    if not arrows:
        return []
    rows = [
        (case, *(metric_value(own[name]) if name in own else "–" for name in arrows))
        for case, own in by_case.items()
    ]
    header = ("case", *(f"{name} {arrow}" for name, arrow in arrows.items()))
    return [*markdown_table(header, rows, right=len(arrows)), ""]


def _plain_table(metrics: Metrics) -> list[str]:
    rows = [_metric_row(metric) for metric in metrics.plain()]
    return [*markdown_table(("metric", "value", "chance", "n"), rows, right=3), ""] if rows else []


def _result(path: Path, record: ResultRecord, page: Path) -> list[str]:
    mode = "" if record.mode is None else f" ({record.mode} mode)"
    facts = [
        f"Method {record.method}",
        *([] if record.protocol is None else [f"protocol {record.protocol}{mode}"]),
        *([f"training: {budget(record.trainings)}"] if record.trainings else []),
        f"seed {record.seed}",
        record.device,
        f"{duration(record.wall_seconds)} with training",
    ]
    return [
        f"## {record.name}",
        "",
        f"{', '.join(facts)}. [JSON]({_relative(path, page)}); {_versions(record.versions)}.",
        "",
        "```",
        record.command,
        "```",
        "",
        *_plain_table(record.metrics),
        *_case_table(record.metrics),
    ]


def _published(dataset: str) -> list[str]:
    tables = published_tables([dataset])
    if not tables:
        return []
    lines = [
        "## Published",
        "",
        "As the papers print them. A published figure and a measured one compare only under one protocol: the same "
        "split, judge and size of the data.",
        "",
    ]
    for table in tables:
        rows = [[str(cell) for cell in row] for row in table.rows]
        lines += [f"### {table.caption}", "", *markdown_table(table.head, rows, len(table.head) - 1), ""]
    return lines


def dataset_page(
    title: str, dataset: str, results: Results, pictures: Iterable[Path], *, page: Path, root: Path
) -> str:
    """The text of a dataset's page.

    Args:
        title: Heading of the page.
        dataset: Name of the dataset.
        results: Results of the dataset, each with its path, in the order of the page.
        pictures: Paths of pictures; one that has the name of a result is shown with it.
        page: Path of the page, from which links lead to the other files.
        root: Folder of the repository.
    """
    docs, top = (_relative(root / name, page) for name in ("docs/results.md", "RESULTS.md"))
    lines = [GENERATED, "", f"# {title}", "", _INTRO.format(docs=f"{docs}#the-metrics", top=top)]
    beside: dict[Path, list[Path]] = {}
    for picture in sorted(pictures):
        beside.setdefault(picture.with_suffix(""), []).append(picture)
    for path, record in results:
        lines += _result(path, record, page)
        for picture in beside.get(path.with_suffix(""), []):
            lines += [f"![{record.name}]({_relative(picture, page)})", ""]
    return "\n".join([*lines, *_published(dataset)]).rstrip("\n") + "\n"


def benchmark_page(benchmarks: Sequence[tuple[Path, BenchmarkRecord]], *, page: Path) -> str:
    """The text of the page of benchmarks: what was timed, ours beside the peer's.

    Args:
        benchmarks: Records with their paths.
        page: Path of the page, from which links lead to the files.
    """
    lines = [GENERATED, "", "# Benchmarks", ""]
    for path, record in benchmarks:
        rows = [
            (row.case, row.unit, number(row.ours), number(row.peer), number(row.ratio)) for row in record.rows
        ]
        facts = f"{record.device}. [JSON]({_relative(path, page)}); {_versions(record.versions)}."
        table = markdown_table(("case", "unit", "ours", "peer", "ours / peer"), rows, right=3)
        lines += [f"## {path.stem}", "", facts, "", *table, ""]
    return "\n".join(lines).rstrip("\n") + "\n"
