"""Published tables, read from one TOML file a paper when first asked for.

The files hold each table as it is printed: a row a method, figures as text, so that nothing is rounded.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.metric import Direction, Estimate

__all__ = ["PAPERS", "PublishedFigure", "PublishedTable", "figures", "tables"]

PAPERS = ("DiffSDA", "DiViD", "VDSM", "S3VAE", "BCD")
"""The papers, by the name of their method."""

_DIRECTIONS = {"↑": True, "↓": False}
_ABSENT = "–"


@dataclass(frozen=True)
class PublishedFigure:
    """One figure of one table.

    Attributes:
        paper: One of :data:`PAPERS`.
        table: Number of the table in the paper, ``"A4"`` in an appendix.
        dataset: Dataset, by the name of ``seqdis list`` where it is known here.
        protocol: Kind of measurement: ``"swap"``, ``"speaker"``, …
        metric: Name of the measured quantity.
        unit: Unit of ``value``: ``"%"``, ``"nats"``, …
        higher_is_better: Whether a higher value is better.
        method: Method, by one name in all papers: DSA is DSVAE, SPYLL is SPYL, "ours" is the paper's own.
        variant: Change to the method in a row of an ablation; empty for the method itself.
        printed: The figure as the table prints it, its deviation included.
        setting: Size or part of the data in the paper, such as ``"64×64"``, where ours is known to differ.
        quoted: Whether the paper repeats it from another one, which measured something else; reports leave it out.
    """

    paper: str
    table: str
    dataset: str
    protocol: str
    metric: str
    unit: str
    higher_is_better: bool
    method: str
    variant: str
    printed: str
    setting: str = ""
    quoted: bool = False

    @property
    def value(self) -> float:
        """The figure, in ``unit``."""
        return float(self.printed.partition("±")[0])

    @property
    def deviation(self) -> float | None:
        """The standard deviation that is printed after the ±, in ``unit``."""
        _, sign, text = self.printed.partition("±")
        return float(text) if sign else None

    @property
    def text(self) -> str:
        """The figure for a person: ``"12.27 ± 0.03"``, ``"81.15%"``."""
        value = self.printed.replace("±", " ± ")
        return f"{value}%" if self.unit == "%" else value

    @property
    def source(self) -> str:
        """Paper and table of the figure: ``"DiffSDA, Tab. 14"``."""
        return f"{self.paper}, Tab. {self.table}"

    def as_estimate(self) -> Estimate:
        """The figure as this library counts, with percentages as shares in [0, 1]."""
        scale = 100 if self.unit == "%" else 1
        unit = "share" if self.unit == "%" else self.unit
        direction: Direction = "higher" if self.higher_is_better else "lower"
        return Estimate(value=self.value / scale, unit=unit, direction=direction)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "paper": self.paper,
            "table": self.table,
            "dataset": self.dataset,
            "protocol": self.protocol,
            "metric": self.metric,
            "method": self.method,
            "variant": self.variant,
            "value": self.value,
            "deviation": self.deviation,
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
        }


@dataclass(frozen=True)
class PublishedTable:
    """One table of a paper.

    Attributes:
        paper: One of :data:`PAPERS`.
        number: Number of the table in the paper.
        title: Title of the table, in our words.
        figures: Row by row; an entry that the table leaves empty is absent.
    """

    paper: str
    number: str
    title: str
    figures: tuple[PublishedFigure, ...]


def tables(*, paper: str | None = None) -> tuple[PublishedTable, ...]:
    """The tables of one paper, or of all.

    Raises:
        InputError: There is no such paper here; lists those that are.
    """
    if paper is None:
        return tuple(table for name in PAPERS for table in _read(name))
    matching = [name for name in PAPERS if name.lower() == paper.lower()]
    if not matching:
        raise unknown_name("paper", paper, PAPERS)
    return _read(matching[0])


def figures(
    *,
    paper: str | None = None,
    table: str | None = None,
    dataset: str | None = None,
    protocol: str | None = None,
    metric: str | None = None,
    method: str | None = None,
    variants: bool = True,
) -> tuple[PublishedFigure, ...]:
    """All figures that fit, in the order of papers and tables; capitals do not matter.

    Args:
        paper: One of :data:`PAPERS`.
        table: Number of the table.
        dataset: Name of the dataset, as :attr:`PublishedFigure.dataset`.
        protocol: Kind of measurement, as :attr:`PublishedFigure.protocol`.
        metric: Name of the measured quantity.
        method: Name of the method.
        variants: Whether rows of ablations are included.

    Raises:
        InputError: A name stands in no table at all; lists those that do.
    """
    wanted = {"table": table, "dataset": dataset, "protocol": protocol, "metric": metric, "method": method}
    matching = [figure for one in tables(paper=paper) for figure in one.figures]
    for field, value in wanted.items():
        if value is None:
            continue
        known = sorted({getattr(figure, field) for one in tables() for figure in one.figures})
        if value.lower() not in [name.lower() for name in known]:
            raise unknown_name(f"published {field}", value, known)
        matching = [figure for figure in matching if getattr(figure, field).lower() == value.lower()]
    return tuple(figure for figure in matching if variants or not figure.variant)


@functools.cache
def _read(paper: str) -> tuple[PublishedTable, ...]:
    text = files(__package__).joinpath(f"{paper.lower()}.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return tuple(
        PublishedTable(paper, table["number"], table["title"], tuple(_figures(paper, table)))
        for table in content["table"]
    )


def _figures(paper: str, table: Mapping[str, Any]) -> Iterator[PublishedFigure]:
    columns = [line.split(maxsplit=4) for line in table["columns"]]
    for row, line in table["rows"].items():
        method, _, variant = (part.strip() for part in row.partition("|"))
        printed = line.split()
        if len(printed) != len(columns):
            raise InputError(
                f"{paper}, Tab. {table['number']}, {row}: {len(printed)} figures; "
                f"the table has {len(columns)} columns"
            )
        for (dataset, metric, unit, direction, *own), figure in zip(columns, printed, strict=True):
            if figure == _ABSENT:
                continue
            yield PublishedFigure(
                paper=paper,
                table=table["number"],
                dataset=dataset,
                protocol=own[0] if own else table["protocol"],
                metric=metric,
                unit=unit,
                higher_is_better=_DIRECTIONS[direction],
                method=method,
                variant=variant,
                printed=figure,
                setting=table.get("settings", {}).get(dataset, ""),
                quoted=method in table.get("quoted", ()),
            )
