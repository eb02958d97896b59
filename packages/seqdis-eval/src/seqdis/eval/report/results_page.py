"""RESULTS.md, written from the JSON files below ``results/``.

``python -m seqdis.eval.report.results_page`` writes it; with ``--check`` it only says whether it is current.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.metric import Metric, Metrics
from seqdis.core.results import BENCHMARK_SCHEMA, BenchmarkRecord, ResultRecord, read_schema

__all__ = ["main", "render", "render_folder"]

_INTRO = """# Results

Every figure here was measured by a command that is printed beside it, and comes from a JSON file
below `results/` (its form: [docs/results.md](docs/results.md)). ↑ means that higher is better, ↓ that
lower is. *Chance* is what guessing, or the trivial baseline of the metric, reaches on the same clips;
in brackets the 95% confidence interval.
"""

_OUTRO = """## Regenerate

This page is generated; a test checks that it is current. After a new file below `results/`:

```
python -m seqdis.eval.report.results_page
```
"""

Named = tuple[Path, ResultRecord]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], right: int) -> list[str]:
    """A Markdown table whose last ``right`` columns are numbers."""
    rule = ["---"] * (len(header) - right) + ["---:"] * right
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]


def _metric_row(metric: Metric) -> tuple[str, ...]:
    interval = f" [{_number(metric.ci95[0])}, {_number(metric.ci95[1])}]" if metric.ci95 else ""
    count = "–" if metric.n is None else str(metric.n)
    return f"{metric.name} {metric.arrow}", f"{_value(metric)}{interval}", _number(metric.chance), count


def _value(metric: Metric) -> str:
    spread = "" if metric.std is None else f" ± {_number(metric.std)} ({metric.seeds} seeds)"
    return _number(metric.value) + spread


def _matrix(metrics: Metrics) -> list[str]:
    """Metrics with cases as one table: a row a case, a column a metric."""
    by_case = metrics.by_case()
    arrows = {m.name: m.arrow for found in by_case.values() for m in found.values()}
    if not arrows:
        return []
    rows = [
        (case, *(_value(found[name]) if name in found else "–" for name in arrows))
        for case, found in by_case.items()
    ]
    header = ("case", *(f"{name} {arrow}" for name, arrow in arrows.items()))
    return [*_table(header, rows, right=len(arrows)), ""]


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def _protocol(record: ResultRecord) -> str:
    mode = "" if record.mode is None else f" ({record.mode} mode)"
    return "" if record.protocol is None else f"protocol {record.protocol}{mode}, "


def _result(path: Path, record: ResultRecord) -> list[str]:
    lines = [
        f"### {record.name}",
        "",
        f"Method {record.method}, {_protocol(record)}seed {record.seed}, {record.device}, "
        f"{_duration(record.wall_seconds)}. "
        f"[JSON]({path.as_posix()}); {_versions(record.versions)}.",
        "",
        "```",
        record.command,
        "```",
        "",
        *_table(
            ("metric", "value", "chance", "n"),
            map(_metric_row, record.metrics.plain()),
            right=3,
        ),
        "",
        *_matrix(record.metrics),
    ]
    return lines


def _benchmark(path: Path, record: BenchmarkRecord) -> list[str]:
    rows = [
        (row.case, row.unit, _number(row.ours), _number(row.peer), _number(row.ratio)) for row in record.rows
    ]
    return [
        f"### {path.stem}",
        "",
        f"{record.device}. [JSON]({path.as_posix()}); {_versions(record.versions)}.",
        "",
        *_table(("case", "unit", "ours", "peer", "ours / peer"), rows, right=3),
        "",
    ]


def render(
    results: Sequence[Named], benchmarks: Sequence[tuple[Path, BenchmarkRecord]], pictures: Sequence[Path]
) -> str:
    """The text of RESULTS.md.

    Args:
        results: Each with its path as the page should link it.
        benchmarks: The same.
        pictures: Paths of pictures; one that has the name of a result is shown with it.
    """
    lines = [_INTRO]
    if not results:
        lines += ["No result is recorded yet.", ""]

    def dataset(item: Named) -> tuple[str, str]:
        return item[1].modality, item[1].dataset

    ordered = sorted(results, key=lambda item: (*dataset(item), item[1].name, item[0].as_posix()))
    for (modality, name), group in groupby(ordered, key=dataset):
        lines += [f"## {name} ({modality})", ""]
        for path, record in group:
            lines += _result(path, record)
            shown = sorted(p for p in pictures if p.with_suffix("") == path.with_suffix(""))
            lines += [line for p in shown for line in (f"![{record.name}]({p.as_posix()})", "")]
    if benchmarks:
        lines += ["## Benchmarks", ""]
        for benchmark in sorted(benchmarks, key=lambda item: item[0].as_posix()):
            lines += _benchmark(*benchmark)
    return "\n".join([*lines, _OUTRO])


def render_folder(root: Path) -> str:
    """The text of RESULTS.md for the JSON files below ``root/results``.

    Raises:
        InputError: One of them is neither a result nor a benchmark, or is damaged.
    """
    results: list[Named] = []
    benchmarks: list[tuple[Path, BenchmarkRecord]] = []
    for path in sorted((root / "results").rglob("*.json")):
        shown = path.relative_to(root)
        if read_schema(path) == BENCHMARK_SCHEMA:
            benchmarks.append((shown, BenchmarkRecord.load(path)))
        else:
            results.append((shown, ResultRecord.load(path)))
    pictures = [p.relative_to(root) for p in (root / "results").rglob("*") if p.suffix in (".png", ".gif")]
    return render(results, benchmarks, pictures)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check RESULTS.md; the exit code is 0, 1 when a check fails, 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m seqdis.eval.report.results_page", description="Write RESULTS.md from results/."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if RESULTS.md is not current"
    )
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the folder that holds results/ (default: here)"
    )
    options = parser.parse_args(arguments)
    page = options.root / "RESULTS.md"
    try:
        if not (options.root / "results").is_dir():
            raise InputError(
                f"{options.root}: holds no folder 'results'; give the repository's root as --root"
            )
        text = render_folder(options.root)
        if options.check:
            current = page.is_file() and page.read_text(encoding="utf-8") == text
            if not current:
                print(
                    "RESULTS.md is not current; run: python -m seqdis.eval.report.results_page",
                    file=sys.stderr,
                )
            return 0 if current else 1
        with replace_file(page) as partial:
            partial.write_text(text, encoding="utf-8")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
