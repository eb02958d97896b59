from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from seqdis.core.errors import InputError
from seqdis.core.line_chart import Line, draw_lines, line_figure

NAMES = {"title": "a & b", "x_name": "t", "y_name": "nats"}


def test_the_chart_shows_what_it_was_given() -> None:
    lines = [Line("step 1", [0, 1, 4], [10.0, 20.0, 50.0]), Line("step 2", [0, 1], [5.0, 5.0])]
    (axes,) = line_figure(lines, **NAMES).axes
    assert (axes.get_title(), axes.get_xlabel(), axes.get_ylabel()) == ("a & b", "t", "nats")
    first, second = axes.get_lines()
    assert first.get_xydata().tolist() == [[0, 10], [1, 20], [4, 50]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["step 1", "step 2"]
    assert first.get_alpha() < second.get_alpha() == 1  # the newest stands out
    assert axes.get_yscale() == "linear"


def test_what_cannot_be_shown_is_left_out() -> None:
    lines = [Line("some", [0, 1, 2], [math.nan, 3.0, 0.0]), Line("none", [0], [-1.0])]
    (axes,) = line_figure(lines, **NAMES, logarithmic=True).axes
    assert [line.get_xydata().tolist() for line in axes.get_lines()] == [[[1, 3]]]
    assert axes.get_yscale() == "log"
    with pytest.raises(InputError, match="no point that a chart could show"):
        line_figure([Line("none", [0.0], [math.inf])], **NAMES)


def test_lines_of_different_things_have_colours_of_their_own_and_names_are_no_formulas() -> None:
    lines = [Line("_a", range(20), range(20)), Line("$b$", [0, 1], [3, 4]), Line("c", [0], [5])]
    figure = line_figure(lines, x_name="$t$", palette=["#112233", "#445566"])
    first, second, third = figure.axes[0].get_lines()
    assert [line.get_color() for line in (first, second, third)] == ["#112233", "#445566", "#112233"]
    assert [line.get_marker() for line in (first, second)] == ["None", "o"]  # few points are shown one by one
    assert {line.get_alpha() for line in (first, second, third)} == {1.0}
    names = figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in names] == ["_a", "$b$", "c"]
    assert not any(text.get_parse_math() for text in (*names, figure.axes[0].xaxis.label))
    assert line_figure(lines, legend=False).axes[0].get_legend() is None


def test_the_suffix_names_the_kind(tmp_path: Path) -> None:
    for name in ("chart.svg", "chart.png"):
        draw_lines(tmp_path / name, [Line("flat", [0, 1], [0.0, 0.0])], **NAMES)
    assert ET.parse(tmp_path / "chart.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
