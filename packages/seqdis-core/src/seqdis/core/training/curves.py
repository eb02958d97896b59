"""The curves of a method at each validation: measured, logged, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from seqdis.core.curve import Curve
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.line_chart import Line, draw_lines
from seqdis.core.log_lines import read_log_lines
from seqdis.core.random import GeneratorStack, mix_seed
from seqdis.core.training.hooks import hooks_of

__all__ = ["draw_curves", "measure_curves", "read_curves"]

_STREAM, _SEQUENCES, _LINES = 0x637276, 8, 8


@torch.no_grad()
def measure_curves(model: Disentangler, dataset: SequenceDataset, *, seed: int) -> Mapping[str, Curve]:
    """The method's curves of the first sequences of a dataset, with the same noise every time."""
    count = min(_SEQUENCES, len(dataset))
    rows = GeneratorStack.each(
        [torch.Generator(model.device).manual_seed(mix_seed(seed, _STREAM, i)) for i in range(count)]
    )
    sequences = dataset.fetch(range(count)).to(model.device)
    return hooks_of(model).curves(sequences, generator=rows)


def read_curves(log: Path) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """Read each curve's steps and points, as :meth:`~seqdis.core.training.logs.RunLog.write_curves` wrote them, by the curve's name."""
    curves: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for line in read_log_lines(log):
        for name, curve in line.record.get("curves", {}).items():
            curves.setdefault(name, []).append((line.step, curve))
    return curves


def draw_curves(log: Path, folder: Path) -> None:
    """Draw a chart of each curve, ``folder/<name>.png``, with a line for the first and each of the newest validations.

    Args:
        log: A run's ``log.jsonl``.
        folder: The folder of the pictures; it is made where there is something to draw.
    """
    for name, history in read_curves(log).items():
        folder.mkdir(parents=True, exist_ok=True)
        selected = history if len(history) <= _LINES else [history[0], *history[1 - _LINES :]]
        newest = selected[-1][1]
        draw_lines(
            folder / f"{name}.png",
            [Line(f"step {step}", curve["x"], [_number(y) for y in curve["y"]]) for step, curve in selected],
            title=name.replace("_", " "),
            x_name=newest["x_name"],
            y_name=newest["y_name"],
            logarithmic=newest["logarithmic"],
        )


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
