"""Metric tables of a report: what was measured, chance beside it, and what the papers print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seqdis.core.metric import Metric
from seqdis.core.results import ResultRecord
from seqdis.eval.published import PublishedFigure, figures
from seqdis.eval.report.blocks import DataTable, MetricRow, MetricTable

__all__ = ["case_tables", "metric_table", "published_beside", "published_tables"]


def published_beside(dataset: str, metric: str, protocol: str | None = None) -> tuple[PublishedFigure, ...]:
    """Published figures of a metric on a dataset, once a method and figure; without ablations.

    Args:
        dataset: Name of the dataset, as in ``seqdis list``.
        metric: Metric, as this library names it.
        protocol: Protocol that measured. The AED of a swap is not that of a reconstruction: where the papers have the
            metric in several protocols, those of this one; none where it is not among them or is not known.
    """
    matching = [
        figure
        for figure in figures(variants=False)
        if (figure.dataset, figure.metric) == (dataset, metric) and not figure.quoted
    ]  # fmt: skip
    if len({figure.protocol for figure in matching}) > 1:
        matching = [figure for figure in matching if figure.protocol == protocol]
    # A paper's long table repeats its short one: the later of the two is the more exact.
    return tuple({(figure.paper, figure.method): figure for figure in matching}.values())


def metric_table(caption: str, records: Mapping[str, ResultRecord]) -> MetricTable:
    """One row a metric in the order of the records, one column a record; cases have tables of their own.

    Args:
        caption: Caption of what was measured.
        records: Records by the name of their column.
    """
    names = dict.fromkeys(metric.name for record in records.values() for metric in record.metrics.plain())
    rows = []
    for name in names:
        metrics: list[Metric | None] = [record.metrics.get(name) for record in records.values()]
        sources = dict.fromkeys((r.dataset, r.protocol) for r in records.values() if name in r.metrics)
        beside = [f for dataset, protocol in sources for f in published_beside(dataset, name, protocol)]
        ranks = all(metric.ranks for metric in metrics if metric is not None)
        rows.append(MetricRow(name, metrics, beside, compared=ranks))
    return MetricTable(caption, list(records), rows)


def case_tables(records: Mapping[str, ResultRecord]) -> list[DataTable]:
    """Metrics with cases, a folded table a record: a row a case, a column a metric."""
    tables = []
    for column, record in records.items():
        by_case = record.metrics.by_case()
        arrows = {m.name: m.arrow for own in by_case.values() for m in own.values()}
        if not arrows:
            continue
        rows = [
            [case, *(f"{own[name].value:.4g}" if name in own else "–" for name in arrows)]
            for case, own in by_case.items()
        ]
        heads = [f"{name.replace('_', ' ')} {arrow}" for name, arrow in arrows.items()]
        tables.append(DataTable(f"{column}: {len(rows)} cases", ["case", *heads], rows, folded=True))
    return tables


def published_tables(datasets: Sequence[str]) -> list[DataTable]:
    """All that the papers report on some datasets, a folded table each; without ablations."""
    tables = []
    for dataset in datasets:
        groups: dict[tuple[str, str], list[PublishedFigure]] = {}
        for figure in figures(variants=False):
            if figure.dataset == dataset and not figure.quoted:
                groups.setdefault((figure.source, figure.protocol), []).append(figure)
        for (source, protocol), some in groups.items():
            metrics = list(dict.fromkeys(f.metric for f in some))
            heads = [
                f"{metric} {'↑' if next(f for f in some if f.metric == metric).higher_is_better else '↓'}"
                for metric in metrics
            ]
            # No line break within a figure.
            cells = {(f.method, f.metric): f.text.replace(" ", "\N{NO-BREAK SPACE}") for f in some}
            rows = [
                [method, *(cells.get((method, metric), "–") for metric in metrics)]
                for method in dict.fromkeys(f.method for f in some)
            ]
            tables.append(
                DataTable(
                    f"Published on {dataset}: {protocol} ({source})",
                    ["method", *(head.replace("_", " ") for head in heads)],
                    rows,
                    folded=True,
                )
            )
    return tables
