"""``seqdis eval published``: the figures of the papers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Json
from seqdis.core.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from seqdis.eval.published import PublishedFigure

__all__ = ["published"]


def published(
    paper: Annotated[str | None, typer.Option(show_default=False, help="DiffSDA, DiViD, …")] = None,
    table: Annotated[str | None, typer.Option(show_default=False, help="Its number: 4, A5.")] = None,
    dataset: Annotated[
        str | None, typer.Option(show_default=False, help="By its name in `seqdis list`.")
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(show_default=False, help="swap, generation, speaker, …")
    ] = None,
    metric: Annotated[str | None, typer.Option(show_default=False, help="aed, eer_static, mae, …")] = None,
    method: Annotated[str | None, typer.Option(show_default=False, help="DBSE, S3VAE, …")] = None,
    variants: Annotated[
        bool, typer.Option("--variants/--no-variants", help="With the rows of ablations.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Print what papers of the field report: every figure that fits, table by table."""
    from seqdis.eval.published import figures, tables

    chosen = figures(
        paper=paper, table=table, dataset=dataset, protocol=protocol, metric=metric, method=method,
        variants=variants,
    )  # fmt: skip
    if as_json:
        print_json([figure.to_json() for figure in chosen])
        return
    titles = {(one.paper, one.number): one.title for one in tables()}
    for (name, number), group in groupby(chosen, key=lambda figure: (figure.paper, figure.table)):
        _print(f"{name}, Tab. {number}: {titles[name, number]}", list(group))
    if not chosen:
        print_line("no published figure fits all of these")


def _print(title: str, some: Sequence[PublishedFigure]) -> None:
    """One table; methods stand across where there are fewer of them than of measured quantities."""
    parts = [(f.dataset, f.protocol) for f in some]
    several = [len(set(values)) > 1 for values in zip(*parts, strict=True)]
    common = [value for value, varies in zip(parts[0], several, strict=True) if not varies]

    def measured(figure: PublishedFigure) -> str:
        own = [figure.dataset] * several[0] + [figure.protocol] * several[1]
        return " ".join([*own, figure.metric, "↑" if figure.higher_is_better else "↓"])

    def method(figure: PublishedFigure) -> str:
        return " | ".join(filter(None, (figure.method, figure.variant)))

    down, across = method, measured
    if len({method(f) for f in some}) < len({measured(f) for f in some}):
        down, across = measured, method
    cells = {(down(f), across(f)): f.text for f in some}
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
    print_table(
        f"{title} ({', '.join(common)})" if common else title,
        ["", *columns],
        [[row, *(cells.get((row, column), "–") for column in columns)] for row in rows],
    )
