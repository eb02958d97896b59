"""The parts of a report: sections of blocks, each with the template that shows it.

A block of one's own is a class with ``template``: the name of a Jinja template that reads it as ``block``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from seqdis.core.metric import Estimate, Metric
from seqdis.eval.published import PublishedFigure
from seqdis.eval.report.media import Media

__all__ = [
    "Block",
    "Card",
    "Cards",
    "Cell",
    "DataTable",
    "Facts",
    "HeatCell",
    "HeatMap",
    "Matrix",
    "MetricRow",
    "MetricTable",
    "Report",
    "Section",
    "Text",
]


class Block(Protocol):
    """Anything that a template of its own shows."""

    @property
    def template(self) -> str:
        """Name of the template below ``templates/``."""


@dataclass(frozen=True)
class Text:
    """A paragraph of text."""

    text: str
    template: ClassVar[str] = "text.html"


@dataclass(frozen=True)
class Facts:
    """Names and what they are: method, seed, command, versions.

    Attributes:
        rows: Rows in the order of the page.
        wide: Names of those that are long and get a line of their own.
        code: Names of those that are to be typed or copied, likewise.
    """

    rows: Mapping[str, str]
    wide: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    template: ClassVar[str] = "facts.html"


@dataclass(frozen=True)
class DataTable:
    """A plain table; the first cell of a row is its head."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    folded: bool = False
    template: ClassVar[str] = "data_table.html"


@dataclass(frozen=True)
class MetricRow:
    """One quantity as several runs have it.

    Attributes:
        name: Name of the metric, as in ``metrics.json``.
        metrics: One a column of the table; None where a run has none.
        published: Figures to put beside.
        compared: Whether the best of several is marked; not of figures that describe rather than score.
    """

    name: str
    metrics: Sequence[Metric | None]
    published: Sequence[PublishedFigure] = ()
    compared: bool = True

    @property
    def known(self) -> list[Metric]:
        """The media that exist."""
        return [metric for metric in self.metrics if metric is not None]

    @property
    def is_share(self) -> bool:
        """Whether all are shares with a chance level, of which higher ones are better: what bars can show."""
        return bool(self.known) and all(
            m.unit == "share"
            and 0 <= m.value <= 1
            and m.chance is not None
            and 0 <= m.chance <= 1
            and m.higher_is_better
            for m in self.known
        )

    @property
    def in_percent(self) -> bool:
        """Whether the figures are shares that the table shows in percent, as papers do."""
        return self.is_share or any(figure.unit == "%" for figure in self.published)

    def reading(self, value: float) -> str:
        """A measured figure for a person."""
        return f"{100 * value:.4g}%" if self.in_percent else f"{value:.4g}"

    @property
    def best(self) -> Metric | None:
        """The best of several."""
        if len(self.known) < 2 or not self.compared:
            return None
        pick = max if self.known[0].higher_is_better else min
        return pick(self.known, key=lambda metric: metric.value)

    def ranked(self) -> list[PublishedFigure]:
        """The published figures, the best first."""
        return sorted(self.published, key=lambda f: f.value, reverse=self.known[0].higher_is_better)


@dataclass(frozen=True)
class MetricTable:
    """Metrics, a row each, with chance and published figures beside.

    Attributes:
        caption: Caption of what was measured.
        columns: Names of the runs.
        rows: Rows, as in :class:`MetricRow`.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[MetricRow]
    template: ClassVar[str] = "metric_table.html"

    @property
    def has_published(self) -> bool:
        """Whether any row has a published figure."""
        return any(row.published for row in self.rows)


@dataclass(frozen=True)
class Cell:
    """A clip in a matrix, or at its edge; ``mark`` sets it off (a reconstruction among swaps)."""

    media: Media
    text: str = ""
    mark: bool = False


@dataclass(frozen=True)
class Matrix:
    """Clips in rows and columns, with clips or words at the edges.

    Attributes:
        caption: Caption of the table.
        down: Words for the heads of the rows: ``"static factor of"``.
        across: Words for the heads of the columns.
        rows: Heads of the rows.
        columns: Heads of the columns.
        cells: The cells of each row, from the top row down.
    """

    caption: str
    down: str
    across: str
    rows: Sequence[Cell | str]
    columns: Sequence[Cell | str]
    cells: Sequence[Sequence[Cell]]
    template: ClassVar[str] = "matrix.html"


@dataclass(frozen=True)
class Card:
    """Media that belong together, under a title.

    Attributes:
        title: Title in a few words; may be empty.
        items: Each with the words that stand beside it; empty where a picture carries its own.
        note: Note below the title.
    """

    title: str
    items: Sequence[tuple[str, Media]]
    note: str = ""


@dataclass(frozen=True)
class Cards:
    """Cards side by side as far as the screen allows.

    Attributes:
        cards: Cards in the order of the page.
        size: ``"small"`` for clips, ``"large"`` for drawn pictures and players.
    """

    cards: Sequence[Card]
    size: Literal["small", "large"] = "small"
    template: ClassVar[str] = "cards.html"


@dataclass(frozen=True)
class HeatCell:
    """A share, its chance level, and whether a good model has it high (True) or near chance (False)."""

    metric: Estimate
    wanted: bool

    @property
    def strength(self) -> float:
        """``(value − chance) / (1 − chance)`` within [0, 1]: 0 at chance, 1 where all is known."""
        chance = self.metric.chance or 0.0
        return 0.0 if chance >= 1 else min(1.0, max(0.0, (self.metric.value - chance) / (1 - chance)))


@dataclass(frozen=True)
class HeatMap:
    """Shares by row and column, coloured by how far they are above chance.

    Attributes:
        caption: Caption of what is shown.
        columns: Names of the factors.
        rows: Name of a label, what it belongs to, and its cells.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[HeatCell]]]
    template: ClassVar[str] = "heat_map.html"


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: counts of predicted classes by true class, coloured by the share of their row.

    Attributes:
        caption: Caption of what is shown.
        classes: Classes in the order of both sides.
        counts: A row a true class, a column an answer.
    """

    caption: str
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]
    template: ClassVar[str] = "confusion.html"

    @property
    def rows(self) -> list[tuple[str, list[tuple[int, float, bool]]]]:
        """A true class, and its cells: how many, their share, and whether that is right."""
        return [
            (name, [(n, n / (sum(row) or 1), i == j) for j, n in enumerate(row)])
            for i, (name, row) in enumerate(zip(self.classes, self.counts, strict=True))
        ]


@dataclass(frozen=True)
class Section:
    """A titled part of a page.

    Attributes:
        title: Title in a few words; also in the page's list of contents.
        blocks: Blocks in the order of the page.
        note: A sentence under the title.
    """

    title: str
    blocks: Sequence[Block]
    note: str = ""

    @property
    def anchor(self) -> str:
        """Name of the section in links."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Report:
    """A whole page.

    Attributes:
        title: Heading of the table.
        sections: Sections in the order of the page.
        subtitle: The line under the title.
        tags: A few words each: method, dataset, modality.
        footer: Facts on how the page was made.
    """

    title: str
    sections: Sequence[Section]
    subtitle: str = ""
    tags: Sequence[str] = field(default_factory=tuple)
    footer: Facts | None = None
