"""Output of the commands: tables and JSON on standard output, progress on standard error."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from seqdis.core.finite_numbers import check_finite_numbers

if TYPE_CHECKING:
    from seqdis.core.metric import Metrics

__all__ = [
    "print_json",
    "print_line",
    "print_metrics",
    "print_result",
    "print_table",
    "progress_bar",
    "without_warnings",
]


def print_json(value: Any) -> None:
    """Print one indented JSON value.

    Raises:
        InputError: A number is NaN or Inf, for JSON has neither.
    """
    check_finite_numbers(value, "result")
    sys.stdout.write(json.dumps(value, indent=2, default=str, allow_nan=False) + "\n")


def print_line(text: str) -> None:
    """Print one line as it is: no wrapping, no markup."""
    sys.stdout.write(text + "\n")


def print_result(value: Any, text: str, *, as_json: bool) -> None:
    """Print the result of a command: one JSON value for a program, or one line for a person."""
    if as_json:
        print_json(value)
    else:
        print_line(text)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; into a pipe it is as wide as its content."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, 10_000), no_color=True)
    console.print(Text(title, style="bold"))
    console.print(table)
    console.print()


def print_metrics(title: str, metrics: Metrics) -> None:
    """Print figures with their 95% intervals and what chance or the trivial baseline reaches."""
    rows = []
    for name, metric in metrics.items():
        interval = "" if metric.ci95 is None else " - ".join(map(_figure, metric.ci95))
        chance = "" if metric.chance is None else _figure(metric.chance)
        rows.append([name, _figure(metric.value), interval, chance])
    print_table(title, ["metric", "value", "95% interval", "chance"], rows)


def _figure(value: float) -> str:
    """Three decimals, or three digits of what those would not show."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2e}"


@contextlib.contextmanager
def progress_bar(text: str, *, show: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Yield ``progress(done, total)`` that moves a bar on standard error, where that is a terminal.

    Args:
        text: Title of the bar, in a word or two.
        show: Whether to show a bar; False gives a function that does nothing.
    """
    if not show or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def without_warnings(name: str) -> Iterator[None]:
    """Let a part of the library log errors alone, for a command whose own output says what its warnings would.

    Args:
        name: The part's package, such as ``"seqdis.core.data"``.
    """
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
