"""Tables, numbers and times in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seqdis.core.metric import Metric

__all__ = ["anchor", "duration", "markdown_table", "metric_value", "number"]


def number(value: float | None, digits: int = 4) -> str:
    """A number with some significant digits; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}g}"


def metric_value(metric: Metric, digits: int = 4) -> str:
    """A metric's value, with its deviation over seeds where it has one."""
    spread = "" if metric.std is None else f" ± {number(metric.std, digits)} ({metric.seeds} seeds)"
    return number(metric.value, digits) + spread


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], right: int) -> list[str]:
    """The lines of a table whose last ``right`` columns are numbers, aligned to the right."""
    rule = ["---"] * (len(header) - right) + ["---:"] * right
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]


def anchor(title: str) -> str:
    """The fragment of a link to a title, as Markdown pages have it: lower case, spaces as hyphens."""
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
