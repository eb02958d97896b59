from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from seqdis.core.errors import InputError
from seqdis.core.line_chart import Line, draw_lines

NAMES = {"title": "a & b", "x_name": "t", "y_name": "nats"}


def points(path: Path) -> list[list[tuple[float, float]]]:
    """The lines of a chart, in pixels."""
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    found = root.findall("{http://www.w3.org/2000/svg}polyline")
    return [[tuple(map(float, pair.split(","))) for pair in e.get("points", "").split()] for e in found]  # type: ignore[misc]


def words(path: Path) -> list[str]:
    root = ET.fromstring(path.read_text(encoding="utf-8"))
    return [e.text or "" for e in root.findall("{http://www.w3.org/2000/svg}text")]


def test_places_are_proportional_to_the_values(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    draw_lines(path, [Line("one", [0, 1, 4], [10.0, 20.0, 50.0])], **NAMES)
    ((a, b, c),) = points(path)
    assert (b[0] - a[0]) / (c[0] - a[0]) == pytest.approx(1 / 4, abs=1e-3)
    assert (b[1] - a[1]) / (c[1] - a[1]) == pytest.approx(1 / 4, abs=1e-3)
    assert c[1] < a[1]  # pixels grow downward
    assert {"a & b", "t", "nats", "one", "20", "50"} <= set(words(path))


def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    draw_lines(path, [Line("one", [0, 1, 2], [0.01, 1.0, 100.0])], **NAMES, logarithmic=True)
    ((a, b, c),) = points(path)
    assert a[1] - b[1] == pytest.approx(b[1] - c[1], abs=0.11)


def test_what_cannot_be_shown_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    draw_lines(
        path,
        [Line("some", [0, 1, 2], [math.nan, 3.0, 0.0]), Line("none", [0], [-1.0])],
        **NAMES,
        logarithmic=True,
    )
    assert [len(line) for line in points(path)] == [1]
    with pytest.raises(InputError, match="no point that a chart could show"):
        draw_lines(path, [Line("none", [0.0], [math.inf])], **NAMES)


def test_titles_do_not_cover_each_other_and_the_newest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "chart.svg"
    draw_lines(path, [Line(f"step {i}", [0, 1], [1.0, 2.0 + 1e-4 * i]) for i in range(3)], **NAMES)
    assert [word for word in words(path) if word.startswith("step")] == ["step 2"]
    assert len(points(path)) == 3


@pytest.mark.parametrize("y", [[5.0, 5.0], [0.0, 0.0]])
def test_a_constant_is_drawn(tmp_path: Path, y: list[float]) -> None:
    path = tmp_path / "chart.svg"
    draw_lines(path, [Line("flat", [0, 1], y)], **NAMES)
    assert len(points(path)[0]) == 2
