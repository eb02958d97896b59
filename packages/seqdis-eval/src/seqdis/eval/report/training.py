"""The training of a run as charts, from its ``log.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqdis.core.line_chart import Line
from seqdis.core.log_lines import NOTES, read_log_lines
from seqdis.eval.report.chart import Chart

__all__ = ["read_log", "training_charts", "validation_chart"]

_NOT_LOSSES = ("step", "epoch", "learning_rate", "grad_norm", "curves", *NOTES)
_MOST_POINTS = 400


def read_log(run: Path) -> list[dict[str, Any]]:
    """The records of a run's log; none where it kept no log. What is no line of a training is left out."""
    return [dict(line.record) for line in read_log_lines(run / "log.jsonl")]


def _line(records: Sequence[Mapping[str, Any]], key: str, name: str) -> Line | None:
    points = [(float(r["step"]), float(r[key])) for r in records if r.get(key) is not None]
    # A chart has fewer pixels than a long run has records; the last one is always kept.
    every = max(1, -(-len(points) // _MOST_POINTS))
    points = points[(len(points) - 1) % every :: every]
    return Line(name, [x for x, _ in points], [y for _, y in points]) if points else None


def training_charts(records: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """The loss with the validation loss, and in a second chart its terms where there are several."""
    both = [_line(records, "loss", "training"), _line(records, "val_loss", "validation")]
    lines = [line for line in both if line is not None]
    charts = [Chart("Loss", "step", lines)] if lines else []
    # A step's record has the loss and its terms; those of validations and curves are records of their own.
    keys = dict.fromkeys(key for record in records if "loss" in record for key in record)
    named = [_line(records, key, key.replace("_", " ")) for key in keys if key not in (*_NOT_LOSSES, "loss")]
    terms = [line for line in named if line is not None]
    return (
        [*charts, Chart("Terms of the loss and what else was logged", "step", terms)]
        if len(terms) > 1
        else charts
    )


def validation_chart(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Chart | None:
    """The validation loss of several runs, or their training loss where one of them has no other."""
    for key, title in (("val_loss", "Validation loss"), ("loss", "Training loss")):
        lines = [_line(records, key, name) for name, records in logs.items()]
        known = [line for line in lines if line is not None]
        if known and len(known) == len(lines):
            return Chart(title, "step", known)
    return None
