"""Predictions from factors as blocks of a page: answers by class, the curve of an outcome, numbers over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.line_chart import Line
from seqdis.eval.report.blocks import Block, Confusion
from seqdis.eval.report.chart import Chart

__all__ = ["answers_by_class", "numbers_over_windows", "outcome_curve"]


def answers_by_class(label: str, predicted: Tensor, truth: Tensor, classes: Sequence[str]) -> list[Block]:
    """A head's answers, a row a true class.

    Args:
        label: Name of the label.
        predicted: Classes, ``(N,)``.
        truth: True values of the same shape.
        classes: Names of the classes.
    """
    count = len(classes)
    table = (truth.long() * count + predicted.long()).bincount(minlength=count**2).view(count, count)
    return [
        Confusion(
            f"{label.replace('_', ' ')}: a row a true class, a column an answer", classes, table.tolist()
        )
    ]


def outcome_curve(scores: Mapping[str, Tensor], truth: Tensor) -> list[Block]:
    """Receiver operating characteristics: true positives over false positives, at every threshold.

    Args:
        scores: Higher for the outcome, each ``(N,)``, by the predictor's name.
        truth: 0 or 1, ``(N,)``.
    """
    from sklearn.metrics import roc_curve

    lines = []
    for name, class_scores in scores.items():
        alarms, hits, _ = roc_curve(truth.numpy(), class_scores.detach().numpy())
        lines.append(Line(name, alarms.tolist(), hits.tolist()))
    chance = Line("chance", [0.0, 1.0], [0.0, 1.0])
    return [Chart("Share of positives found", "share of negatives alarmed", [*lines, chance], linear=True)]


def numbers_over_windows(
    predicted: Mapping[str, Tensor], truth: Tensor, sequence: Tensor, *, unit: str, count: int = 3
) -> list[Block]:
    """Measured and predicted values over the windows of a few test sequences.

    Args:
        predicted: Each ``(K,)``, by the predictor's name.
        truth: ``(K,)``.
        sequence: Sequence of each window, ``(K,)``.
        unit: Unit of the numbers.
        count: Sequences, spread over the test split.
    """
    numbers = sequence.unique()
    chosen = numbers[torch.linspace(0, len(numbers) - 1, min(count, len(numbers))).round().long()]
    charts: list[Block] = []
    for number in chosen.tolist():
        rows = sequence == number
        lines = [
            Line(name, range(int(rows.sum())), values[rows].tolist())
            for name, values in {"measured": truth, **predicted}.items()
        ]
        charts.append(
            Chart(f"{unit}, test sequence {number + 1} of {len(numbers)}", "window", lines, linear=True)
        )
    return charts
