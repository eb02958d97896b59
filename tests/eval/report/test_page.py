"""The page as a document: what it refers to, what it says to those who do not see it, and that names stay data."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import pytest

from seqdis.core.line_chart import Line
from seqdis.core.metric import Estimate
from seqdis.eval.report.blocks import (
    Card,
    Cards,
    Cell,
    DataTable,
    Facts,
    HeatCell,
    HeatMap,
    Matrix,
    MetricRow,
    MetricTable,
    Report,
    Section,
    Text,
)
from seqdis.eval.report.chart import Chart
from seqdis.eval.report.measured import published_beside
from seqdis.eval.report.media import Media
from seqdis.eval.report.page import render, write_report

EVIL = '<script>alert("x")</script> & "quotes" \'single\''
PICTURE = Media(
    "image", "data:image/gif;base64,R0lGOD", f"clip {EVIL}", (16, 16), still="data:image/png;base64,iV"
)
SOUND = Media("audio", "data:audio/flac;base64,ZkxhQw", f"sound {EVIL}")
FILM = Media("video", "data:video/mp4;base64,AAAA", f"film {EVIL}")
VOID = {"meta", "link", "img", "source", "line", "circle", "polyline", "br"}


@dataclass
class Element:
    name: str
    attributes: dict[str, str | None]
    parents: tuple[str, ...]


class Document(HTMLParser):
    """All elements with their attributes, and the text; refuses tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.text += data

    def all(self, *names: str) -> list[Element]:
        return [element for element in self.elements if element.name in names]


@pytest.fixture(scope="module")
def page() -> Document:
    share = Estimate(value=0.9, unit="share", chance=0.25, ci95=(0.8, 0.95), n=40).named("s", role="swap")
    error = Estimate(value=12.0, chance=12.4, direction="lower").named("mae", role="prediction")
    rows = [
        MetricRow("swap_<b>x</b>", [share, share.model_copy(update={"value": 0.4, "ci95": None, "n": None})]),
        MetricRow("mae", [error, None], published_beside("ett", "mae")),
    ]
    report = Report(
        title=f"run {EVIL}",
        subtitle="sub",
        tags=["method", EVIL],
        sections=[
            Section("Facts & figures", [Facts({EVIL: EVIL, "command": EVIL}, code=("command",)), Text(EVIL)], "note"),
            Section("Metrics", [MetricTable("measured", ["a", EVIL], rows)]),
            Section("Clips", [
                Matrix("all", "static", "dynamic", [Cell(PICTURE, EVIL)], [Cell(PICTURE, "walk\nleft")],
                       [[Cell(FILM, mark=True)]]),
                Matrix("along", "component", "α", ["static 0"], ["α = 0"], [[Cell(PICTURE)]]),
                Cards([Card(EVIL, [("heard", SOUND), ("", PICTURE)], "MSE 1")], "large"),
            ]),
            Section("Probes", [
                HeatMap("probes", ("static", "dynamic"),
                        [("speaker", "static", [HeatCell(share, True), HeatCell(share, False)])])
            ]),
            Section("Tables", [
                DataTable("plain", ["", "a"], [["row", EVIL]]),
                DataTable("folded", ["", "a"], [["row", "1"]], folded=True),
                Chart(f"loss {EVIL}", "step", [Line("training", [0, 1], [1.0, 0.01]), Line(EVIL, [1], [0.5])]),
            ]),
        ],
        footer=Facts({"made with": "seqdis"}),
    )  # fmt: skip
    return Document(render(report))


def test_nothing_is_fetched_and_nothing_runs(page: Document) -> None:
    for element in page.elements:
        for name in ("src", "href", "srcset", "poster", "data", "action"):
            value = element.attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), (element.name, name)
        assert not [name for name in element.attributes if name.startswith("on")]
    assert not page.all("script", "iframe", "object", "embed")
    policy = [m for m in page.all("meta") if m.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in str(policy[0].attributes["content"])


def test_names_are_data(page: Document) -> None:
    assert EVIL in page.text
    assert "swap <b>x</b>" in page.text
    assert not page.all("b") or all("published" not in str(b.attributes) for b in page.all("b"))
    assert {e.attributes["alt"] for e in page.all("img")} == {f"clip {EVIL}"}
    assert [e.attributes["aria-label"] for e in page.all("audio", "video")] == [
        f"film {EVIL}",
        f"sound {EVIL}",
    ]


def test_the_outline_is_that_of_the_sections(page: Document) -> None:
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == len(page.all("nav")) == len(page.all("title")) == 1
    anchors = [e.attributes["id"] for e in page.all("section")]
    assert anchors == ["facts-figures", "metrics", "clips", "probes", "tables"]
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    links = [str(e.attributes["href"]) for e in page.all("a")]
    assert links == ["#content", *(f"#{anchor}" for anchor in anchors)]
    assert all(e.attributes["aria-labelledby"] in ids for e in page.all("section"))
    assert page.all("html")[0].attributes["lang"] == "en"


def test_tables_have_captions_and_heads(page: Document) -> None:
    assert len(page.all("caption")) == len(page.all("table")) == 6
    assert all(th.attributes.get("scope") in ("row", "col") for th in page.all("th"))
    # What scrolls can be reached by the keyboard, and says what it is.
    regions = [e for e in page.all("div") if "scroll" in str(e.attributes.get("class"))]
    assert all(e.attributes["tabindex"] == "0" and e.attributes["aria-label"] for e in regions)


def test_charts_and_arrows_are_said_in_words(page: Document) -> None:
    (chart,) = page.all("svg")
    assert str(chart.attributes["aria-label"]).startswith(f"loss {EVIL}: training from 1 to 0.01")
    arrows = [e.attributes["aria-label"] for e in page.all("span") if e.attributes.get("class") == "arrow"]
    assert arrows == ["higher is better", "lower is better"]


def test_motion_gives_way(page: Document) -> None:
    sources = page.all("source")
    assert sources
    assert {e.attributes["media"] for e in sources} == {"(prefers-reduced-motion: reduce)"}
    assert all(e.parents[-1] == "picture" for e in sources)


def test_measured_figures_stand_with_chance_and_published_ones(page: Document) -> None:
    words = " ".join(page.text.split())
    assert "90% 80% … 95% chance 25%, n = 40" in words
    assert "12 baseline 12.4" in words
    assert "9.89 ± 0.280 DiffSDA DiffSDA, Tab. 14" in words


def test_a_block_of_ones_own_is_shown_by_its_template() -> None:
    class Own:
        template: ClassVar[str] = "text.html"
        text = "own words"

    assert "<p>own words</p>" in render(Report("t", [Section("s", [Own()])]))


def test_equal_reports_are_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(Report("t", [Section("s", [Text("x")])]), tmp_path / name / "r.html")
    first, second = ((tmp_path / name / "r.html").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first.startswith(b"<!doctype html>")
