"""Predictions from factors as people see them."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import auc, roc_auc_score

from seqdis.eval.report.blocks import Confusion
from seqdis.eval.report.chart import Chart
from seqdis.eval.report.prediction_blocks import answers_by_class, numbers_over_windows, outcome_curve


def test_answers_are_counted_by_true_class() -> None:
    truth, predicted = torch.tensor([0, 0, 0, 2, 2]), torch.tensor([0, 0, 2, 2, 1])
    (block,) = answers_by_class("oil_trend", predicted, truth, ("down", "none", "up"))
    assert isinstance(block, Confusion)
    assert block.counts == [[2, 0, 1], [0, 0, 0], [0, 1, 1]]
    assert block.rows[0] == (
        "down",
        [(2, pytest.approx(2 / 3), True), (0, 0, False), (1, pytest.approx(1 / 3), False)],
    )
    assert [share for _, share, _ in block.rows[1][1]] == [0, 0, 0]  # a class that is absent


def test_the_curve_of_an_outcome_encloses_its_area() -> None:
    g = torch.Generator().manual_seed(0)
    truth = (torch.rand(80, generator=g) < 0.4).long()
    scores = truth + torch.randn(80, generator=g)
    (chart,) = outcome_curve({"head": scores, "nothing": torch.zeros(80)}, truth)
    assert isinstance(chart, Chart)
    assert [line.title for line in chart.lines] == ["head", "nothing", "chance"]
    assert auc(chart.lines[0].x, chart.lines[0].y) == pytest.approx(roc_auc_score(truth, scores))
    assert (chart.lines[1].x, chart.lines[1].y) == ([0, 1], [0, 1])
    assert not chart.is_log
    assert "head between 0 and 1" in chart.description


def test_numbers_run_along_the_windows_of_sequences_from_the_whole_split() -> None:
    sequence = torch.arange(5).repeat_interleave(4)
    truth = torch.arange(20.0)
    charts = numbers_over_windows({"head": truth + 1}, truth, sequence, unit="oil, °C", count=3)
    assert [chart.title for chart in charts if isinstance(chart, Chart)] == [
        f"oil, °C, test sequence {number} of 5" for number in (1, 3, 5)
    ]
    last = charts[-1]
    assert isinstance(last, Chart)
    assert [(line.title, (line.x[-1], line.y[-1])) for line in last.lines] == [
        ("measured", (3, 19)),
        ("head", (3, 20)),
    ]
    assert len(numbers_over_windows({}, truth[:4], sequence[:4], unit="x")) == 1
