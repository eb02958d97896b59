from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest

from seqdis.core.errors import InputError
from seqdis.core.line_chart import Line
from seqdis.eval.report.chart import Chart


def paths(chart: Chart, colour: str) -> list[list[tuple[float, float]]]:
    """The corners of every line of a colour, in the units of the view box."""
    drawn = re.findall(rf'<path d="([^"]+)"[^>]*stroke: var\(--{colour}\)', chart.drawing)
    return [[(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", d)] for d in drawn]


@pytest.mark.parametrize("values", [(1.0, 0.7, 0.4), (10.0, 1.0, 0.01), (-1.0, 0.0, 2.0), (2.0, 2.0, 2.0)])
def test_points_lie_inside_and_keep_their_order(values: tuple[float, ...]) -> None:
    chart = Chart("loss", "step", [Line("a", [0, 10, 20], values)])
    left, top, width, height = map(float, chart.view_box.split())
    (corners,) = paths(chart, "static")
    assert len(corners) == 3
    assert all(left < x < width and top < y < height for x, y in corners)
    assert [x for x, _ in corners] == sorted(x for x, _ in corners)
    # The vertical axis counts from the top: what is larger stands higher.
    for (_, y), (_, other), v, w in zip(corners, corners[1:], values, values[1:], strict=False):
        assert (y < other) == (v > w)


def test_a_wide_range_of_positive_values_is_logarithmic() -> None:
    wide = Chart("loss", "step", [Line("a", [0, 1, 2], [10.0, 1.0, 0.1])])
    assert wide.is_log
    # Equal ratios are equal distances.
    ((_, first), (_, second), (_, third)) = paths(wide, "static")[0]
    assert third - second == pytest.approx(second - first, abs=0.1)
    assert {">0.1<", ">1<", ">10<"} <= set(re.findall(r">[\d.]+<", wide.drawing))  # plain numbers, no powers
    assert not Chart("loss", "step", [Line("a", [0, 1], [10.0, 0.0])]).is_log
    assert not Chart("loss", "step", [Line("a", [0, 1], [2.0, 1.0])]).is_log


def test_every_line_has_its_colour_of_the_page_and_no_other_is_left() -> None:
    chart = Chart("loss", "step", [Line(str(i), range(20), [float(i)] * 20) for i in range(7)])
    assert [len(paths(chart, name)) for name in ("static", "dynamic", "c2", "c3", "c4", "c5")] == [
        2,
        1,
        1,
        1,
        1,
        1,
    ]
    assert "var(--muted)" in chart.drawing
    assert "var(--line)" in chart.drawing
    assert set(re.findall(r"#[0-9a-fA-F]{6}\b", chart.drawing)) <= {"#000000", "#ffffff"}


def test_a_drawing_is_well_formed_repeatable_and_shares_no_name_with_another() -> None:
    first, again, other = (
        Chart(name, "a < b & $c$", [Line(name, [0, 1, 2], [1.0, 2.0, 3.0])]) for name in ("x", "x", "y")
    )
    assert first.drawing == again.drawing
    assert "a &lt; b &amp; $c$" in first.drawing
    assert "<style" not in first.drawing
    assert "metadata" not in first.drawing
    root = ET.fromstring(f'<svg xmlns:xlink="http://www.w3.org/1999/xlink">{first.drawing}</svg>')
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert not set(ids) & set(re.findall(r'id="([^"]+)"', other.drawing))
    links = set(re.findall(r"#([\w-]+)", first.drawing)) - {"000000", "ffffff"}
    assert links == set(ids)


def test_the_description_says_what_the_lines_do() -> None:
    lines = [Line("training", [0, 1, 2], [1.0, 0.2, 0.25])]
    assert Chart("loss", "step", lines).description == "training from 1 to 0.25, at best 0.2"
    assert Chart("loss", "step", lines, linear=True).description == "training between 0.2 and 1"


@pytest.mark.parametrize("points", [([], []), ([0.0], [math.nan]), ([math.inf], [1.0])])
def test_nothing_to_draw_is_refused(points: tuple[list[float], list[float]]) -> None:
    with pytest.raises(InputError, match=r"chart 'loss': needs points, all of them finite"):
        Chart("loss", "step", [Line("a", *points)])
