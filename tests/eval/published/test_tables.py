"""Published figures: the data against the text of the very tables that they were taken from."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from seqdis.core.errors import InputError
from seqdis.eval.published import PAPERS, PublishedFigure, figures, tables

EXPECTED = {
    "DiffSDA": ["2", "3", "4", "5", *map(str, range(9, 18))],
    "DiViD": ["1"],
    "VDSM": ["1", "2", "3"],
    "S3VAE": ["1", "2", "3"],
    "BCD": ["1", "2", "3", "A4", "A5", "A6"],
}
# Where each table stands in its paper's text: its first line begins so, and it ends before the next one that
# begins with the second. Tables without a caption in the text are found by their head and a row.
PLACES = {
    ("DiffSDA", "2"): ("Table 2:", "to obtain fine-grained"),
    ("DiffSDA", "3"): ("Table 3:", "Table 4:"),
    ("DiffSDA", "4"): ("Table 4:", "## 4.5"),
    ("DiffSDA", "5"): ("Table 5:", "## 5 CONCL"),
    ("DiffSDA", "9"): ("Table 9:", "with the state-of-the-art"),
    ("DiffSDA", "10"): ("**Table 10:", "To strengthen"),
    ("DiffSDA", "11"): ("Table 11:", "### G.3"),
    ("DiffSDA", "12"): ("Table 12:", "## G.4"),
    ("DiffSDA", "13"): ("Table 13:", "## G.5"),
    ("DiffSDA", "14"): ("Table 14:", "Table 15:"),
    ("DiffSDA", "15"): ("Table 15:", "Table 16:"),
    ("DiffSDA", "16"): ("Table 16:", "Table 17:"),
    ("DiffSDA", "17"): ("Table 17:", "## H.2"),
    ("DiViD", "1"): ("Model | Static Only", "As Table 1 shows"),
    ("VDSM", "1"): ("Attr. Acc. Cons.", "Table 1."),
    ("VDSM", "2"): ("Method Acc. Sprites", "Table 2."),
    ("VDSM", "3"): ("Method FID", "Table 3."),
    ("S3VAE", "1"): ("Table 1. Quantitatively", "Figure 7."),
    ("S3VAE", "2"): ("Table 2. Ablation", "### 5.1.4"),
    ("S3VAE", "3"): ("Table 3. Performance", "that we expect"),
    ("BCD", "1"): ("| Method | FID | CSIM |", "Motion Transfer"),
    ("BCD", "2"): ("| Method | Identity Preservation", "Video Generation"),
    ("BCD", "3"): ("| 2.0 |", "Bitrate"),
    ("BCD", "A4"): ("| Methods | Action | Skin", "Content Ref."),
    ("BCD", "A5"): ("| Frames | FID | CSIM |", "| Method | FID"),
    ("BCD", "A6"): ("| w/o bitrate loss", "B.2 Additional"),
}
# Where a row of the text holds not one method's figures but one quantity's, or the methods' of one dataset: what its
# figures have in common. In all other tables a row is a method, and the rows come in the same order as here.
ROWS = {
    ("DiffSDA", "2"): [{"dataset": name} for name in ("mug", "voxceleb", "celebv-hq", "taichi-hd")],
    ("DiffSDA", "3"): [{"dataset": name} for name in ("mug", "voxceleb", "celebv-hq", "taichi-hd")],
    ("DiffSDA", "5"): [
        {"metric": name} for name in ("auprc", "auroc", "mae", "icu_accuracy", "month_accuracy")
    ],
    ("DiffSDA", "17"): [
        {"protocol": protocol, "metric": metric}
        for protocol, metrics in (("swap", ("aed", "akd")), ("reconstruction", ("aed", "akd", "mse")))
        for metric in metrics
    ],
    ("VDSM", "1"): [
        {"dataset": data, "metric": re.compile(f"{name}_")}
        for data, names in (
            ("sprites-1120", ("body", "shirt", "pants", "hair", "action")),
            ("mug", ("identity", "action")),
        )
        for name in names
    ],
    ("S3VAE", "3"): [
        {"method": "FHVAE"},
        *(
            {"method": m, "metric": f"eer_{side}"}
            for m in ("DSVAE", "S3VAE")
            for side in ("static", "dynamic")
        ),
    ],
}
KEYS = sorted(PLACES)


def in_row(figure: PublishedFigure, row: dict[str, str | re.Pattern[str]]) -> bool:
    return all(
        value.match(getattr(figure, key)) if isinstance(value, re.Pattern) else getattr(figure, key) == value
        for key, value in row.items()
    )


def own_rows(key: tuple[str, str], found: Sequence[PublishedFigure]) -> list[list[PublishedFigure]]:
    """Our figures, row by row as the text prints them."""
    if key in ROWS:
        rows = [[f for f in found if in_row(f, row)] for row in ROWS[key]]
        # Methods stand side by side below each metric.
        metrics = list(dict.fromkeys(f.metric for f in found))
        return [sorted(row, key=lambda f: metrics.index(f.metric)) for row in rows]
    names = dict.fromkeys((f.method, f.variant) for f in found)
    return [[f for f in found if (f.method, f.variant) == name] for name in names]


@pytest.fixture(scope="module")
def papers() -> Path:
    given = os.environ.get("SEQDIS_PAPERS")
    data = os.environ.get("SEQDIS_DATA")
    folder = Path(given) if given else Path(data).parent / "papers" if data else None
    if folder is None or not (folder / "diffsda.md").is_file():
        pytest.skip("the papers' texts are absent: SEQDIS_PAPERS must name the folder that holds diffsda.md")
    return folder


def printed_rows(folder: Path, key: tuple[str, str]) -> list[str]:
    """The lines of one table that hold its figures."""
    lines = (folder / f"{key[0].lower()}.md").read_text(encoding="utf-8").splitlines()
    first, after = PLACES[key]
    start = next(i for i, line in enumerate(lines) if line.strip().startswith(first))
    stop = next(i for i in range(start + 1, len(lines)) if lines[i].strip().startswith(after))
    found = [plain(line) for line in lines[start:stop] if "Table" not in line]
    return [line for line in found if re.search(r"\d\.\d|\de-\d", line)]


def plain(line: str) -> str:
    """A line without its markup: ``0.37±0.09``, ``5.53e-2``."""
    text = re.sub(r"</?(b|math|i)>|\\ul|\$|\\text\{(.*?)\}", lambda m: m[2] or "", line)
    text = text.replace(r"\pm", "±").replace("–", "-").replace("--", "-").replace("%", "")
    return re.sub(r"\s*±\s*", "±", re.sub(r"(?<=\de) (?=-\d)", "", text))


def numbers(text: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?(?:e-\d+)?(?:±\d+\.\d+)?", text)


def test_every_table_is_there_once() -> None:
    assert {name: [t.number for t in tables(paper=name)] for name in PAPERS} == EXPECTED
    assert set(KEYS) == {(t.paper, t.number) for t in tables()}


@pytest.mark.parametrize("key", KEYS, ids=[f"{paper}-{number}" for paper, number in KEYS])
def test_every_figure_stands_in_its_row_of_the_paper(key: tuple[str, str], papers: Path) -> None:
    text = printed_rows(papers, key)
    ours = own_rows(key, figures(paper=key[0], table=key[1]))
    assert sum(map(len, ours)) == len(figures(paper=key[0], table=key[1]))
    assert len(text) == len(ours), text
    for line, row in zip(text, ours, strict=True):
        printed = [f.printed for f in row]
        if key[0] == "VDSM":  # a scan: arrows became digits or brackets, and points of one row are lost
            wanted = ".*".join(re.escape(value).replace(r"\.", r"\.?") for value in printed)
            assert re.search(wanted, line), (line, printed)
        else:
            assert numbers(line)[-len(printed) :] == printed, line


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (("DiffSDA", "14"), {"SPYL": "SPYLL", "DiffSDA": "Ours", "random forest": "RF"}),
        (("DiffSDA", "9"), {"DiffSDA": "Ours"}),
        (("DiViD", "1"), {}),
        (("VDSM", "2"), {"DSVAE": "DSA", "MoCoGAN": "MoCo"}),
        (("S3VAE", "2"), {"S3VAE": "Full model"}),
        (("BCD", "1"), {"BCD": "Ours"}),
        (("BCD", "2"), {"BCD": "Ours"}),
    ],
)
def test_a_row_is_the_method_that_the_paper_names(
    key: tuple[str, str], names: dict[str, str], papers: Path
) -> None:
    rows = own_rows(key, figures(paper=key[0], table=key[1]))
    for line, row in zip(printed_rows(papers, key), rows, strict=True):
        wanted = row[0].variant or names.get(row[0].method, row[0].method)
        text = re.sub(r"\\mathcal|[{}_]", "", line)
        assert wanted.replace("_", "").lower() in text.lower()


def test_the_best_is_where_the_direction_says() -> None:
    # The papers set their own best figures in bold; DiffSDA wins every column of Tab. 14 and 15 but none
    # of the accuracies of Tab. 9.
    for number in ("14", "15"):
        found = figures(paper="DiffSDA", table=number)
        for metric, dataset in dict.fromkeys((f.metric, f.dataset) for f in found):
            column = [f for f in found if (f.metric, f.dataset) == (metric, dataset)]
            best = (max if column[0].higher_is_better else min)(column, key=lambda f: f.value)
            assert best.method == "DiffSDA", (number, metric)
    best = max(figures(paper="DiffSDA", table="9", metric="accuracy"), key=lambda f: f.value)
    assert best.method == "DBSE"


def test_gaps_are_differences() -> None:
    # Of what the papers round; Tab. 4 itself says 5.58 where its own two rates differ by 5.86.
    slip = ("4", "librispeech", "DBSE")
    checked = [f for f in figures(metric="eer_gap") if (f.table, f.dataset, f.method) != slip]
    assert len(checked) == len(figures(metric="eer_gap")) - 1
    for figure in checked:
        same = figures(paper=figure.paper, table=figure.table, dataset=figure.dataset, method=figure.method)
        static, dynamic = (
            next(f.value for f in same if f.metric == m) for m in ("eer_static", "eer_dynamic")
        )
        assert figure.value == pytest.approx(dynamic - static, abs=0.0151), figure


def test_one_figure_whole() -> None:
    (found,) = figures(dataset="ETT", metric="mae", method="glr", table="14")
    assert (found.value, found.deviation, found.unit) == (12.27, 0.03, "°C")
    assert not found.higher_is_better
    assert found.source == "DiffSDA, Tab. 14"
    assert found.text == "12.27 ± 0.03"
    (share,) = figures(paper="DiViD", method="DiViD", metric="leakage")
    assert share.text == "70.9%"
    assert share.deviation is None
    assert share.as_estimate().value == pytest.approx(0.709)
    assert not share.as_estimate().higher_is_better


def test_queries_narrow_and_variants_can_be_left_out() -> None:
    everything = figures()
    assert len(everything) == sum(len(t.figures) for t in tables())
    mine = figures(paper="bcd", variants=False)
    assert {f.paper for f in mine} == {"BCD"}
    assert all(not f.variant for f in mine)
    assert any(f.variant for f in figures(paper="BCD"))
    assert figures(dataset="mug", metric="eer_static") == ()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"paper": "SPYL"}, "unknown paper 'SPYL'; allowed: BCD, DiViD, DiffSDA, S3VAE, VDSM"),
        ({"dataset": "sprite"}, "unknown published dataset 'sprite' (did you mean 'sprites'?); allowed: "),
        ({"metric": "AE"}, "unknown published metric 'AE'"),
        ({"table": "99"}, "unknown published table '99'"),
    ],
)
def test_unknown_names_are_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        figures(**query)  # type: ignore[arg-type]
