"""RESULTS.md and a page for each dataset, written from the JSON files below ``results/``.

``python -m seqdis.eval.report.results_page`` writes them; with ``--check`` it only says whether they are current.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.results import BENCHMARK_SCHEMA, SOAK_SCHEMA, BenchmarkRecord, ResultRecord, read_schema
from seqdis.eval.report.dataset_page import benchmark_page, dataset_page
from seqdis.eval.report.overview import GENERATED, Results, by_dataset, overview_section
from seqdis.eval.report.soak_section import soak_section
from seqdis.eval.report.trials import trials_page

__all__ = ["main", "render_folder"]

_INTRO = """# Results

One table a dataset, one row a trained method: how long it was trained (optimiser steps, each of so many sequences) and the
three figures that say most. Rows of one method differ in the settings named. *Italic rows* are what the papers print for
the same metric, with the size of their data where it is another. Trainings here are short: the distance to
the paper is that of the budget as well as that of the method.

↑: higher is better, ↓: lower is. *Chance* is what guessing, or the trivial baseline of a metric, reaches on the same clips.
[What each metric is](docs/results.md#the-metrics). `published mode` measures as the code behind the printed figures does
([modes](docs/evaluation.md#protocols)). Every figure comes from a JSON file below `results/`; the page of a dataset has all
of them, with intervals, commands and pictures.
"""

_OUTRO = """## Regenerate

This page and those it links to are generated; a test checks that they are current. After a new file below `results/`:

```
python -m seqdis.eval.report.results_page
```
"""


def render_folder(root: Path) -> dict[Path, str]:
    """The text of every generated page, by its path, for the JSON files below ``root/results`` and the trials.

    Raises:
        InputError: One of them is neither a result nor a benchmark, or is damaged.
    """
    folder = root / "results"
    results: list[tuple[Path, ResultRecord]] = []
    benchmarks: list[tuple[Path, BenchmarkRecord]] = []
    soaks: list[Path] = []
    for path in sorted(folder.rglob("*.json")):
        schema = read_schema(path)
        if schema == BENCHMARK_SCHEMA:
            benchmarks.append((path, BenchmarkRecord.load(path)))
        elif schema == SOAK_SCHEMA:
            soaks.append(path)
        else:
            results.append((path, ResultRecord.load(path)))
    trials = folder / "log.jsonl"
    pictures = [path for path in folder.rglob("*") if path.suffix in (".png", ".gif")]
    return _render(root, results, benchmarks, soaks, trials if trials.is_file() else None, pictures)


def _render(
    root: Path,
    results: Results,
    benchmarks: Sequence[tuple[Path, BenchmarkRecord]],
    soaks: Sequence[Path],
    trials: Path | None,
    pictures: Sequence[Path],
) -> dict[Path, str]:
    folder = root / "results"
    pages: dict[Path, str] = {}
    lines = [GENERATED, "", _INTRO]
    if not results:
        lines += ["No result is recorded yet.", ""]
    groups = by_dataset(results)
    names = Counter(dataset for _, dataset in groups)
    for (modality, dataset), some in groups.items():
        # Two modalities may have a dataset of one name.
        page = folder / (f"{dataset}.md" if names[dataset] == 1 else f"{modality}-{dataset}.md")
        title = f"{dataset} ({modality})"
        pages[page] = dataset_page(title, dataset, some, pictures, page=page, root=root)
        lines += overview_section(title, some, page=page.relative_to(root).as_posix())
    if benchmarks:
        page = folder / "timings.md"
        pages[page] = benchmark_page(benchmarks, page=page)
        link = page.relative_to(root).as_posix()
        lines += [
            "## Benchmarks",
            "",
            f"Times of single operations, ours beside a peer's: [{link}]({link}).",
            "",
        ]
    if trials is not None:
        page = folder / "trials.md"
        pages[page] = trials_page(trials)
        link = page.relative_to(root).as_posix()
        lines += ["## Trials", "", f"Every training that was tried, failed ones too: [{link}]({link}).", ""]
    for path in soaks:
        lines += soak_section(path, link=path.relative_to(root).as_posix())
    return {root / "RESULTS.md": "\n".join([*lines, _OUTRO]), **pages}


def _generated(root: Path) -> set[Path]:
    """Pages in the folder of results that this module wrote before."""
    pages = set()
    for path in (root / "results").glob("*.md"):
        if path.read_text(encoding="utf-8").startswith(GENERATED):
            pages.add(path)
    return pages


def _stale(root: Path, pages: dict[Path, str]) -> list[Path]:
    """Pages that are missing, that say something else, or that nothing is recorded for any more."""
    changed = [
        path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    return sorted([*changed, *(_generated(root) - set(pages))])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the pages; the exit code is 0, 1 when a check fails, 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m seqdis.eval.report.results_page",
        description="Write RESULTS.md and the pages of all datasets from results/.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is not current")
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the folder that holds results/ (default: here)"
    )
    options = parser.parse_args(arguments)
    root: Path = options.root
    try:
        if not (root / "results").is_dir():
            raise InputError(f"{root}: holds no folder 'results'; give the repository's root as --root")
        pages = render_folder(root)
        stale = _stale(root, pages)
        if options.check:
            if stale:
                names = ", ".join(path.relative_to(root).as_posix() for path in stale)
                command = "python -m seqdis.eval.report.results_page"
                print(f"not current: {names}; run: {command}", file=sys.stderr)
            return 1 if stale else 0
        for path in stale:
            if path not in pages:
                path.unlink()
                continue
            with replace_file(path) as partial:
                partial.write_text(pages[path], encoding="utf-8")
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
