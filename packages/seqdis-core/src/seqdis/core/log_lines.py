"""The lines of a run's ``log.jsonl``, of which those that no training wrote are left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.base_config import LONGEST

__all__ = ["NOTES", "LogLine", "read_log_lines"]

NOTES = ("started_from", "changed")
"""Keys of what a line says of a start, beside its step."""


@dataclass(frozen=True)
class LogLine:
    """One line of a log.

    Attributes:
        text: The line as it stands in the file.
        record: Values of the line: ``step``, and beside it numbers or None by name, ``curves``, or one of :data:`NOTES`.
    """

    text: str
    record: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Number of steps that were done."""
        return int(self.record["step"])


def read_log_lines(path: Path) -> list[LogLine]:
    """The lines of a log in their order; none where there is no file.

    A line that a kill cut short, or that says anything else than a training does, is left out.
    """
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and _is_whole(record):
            lines.append(LogLine(text, record))
    return lines


def _is_whole(record: Mapping[str, Any]) -> bool:
    step = record.get("step")
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= LONGEST:
        return False
    curves = record.get("curves", {})
    if not isinstance(curves, dict) or not all(_is_curve(curve) for curve in curves.values()):
        return False
    return all(
        value is None or _is_number(value)
        for name, value in record.items()
        if name not in ("step", "curves", *NOTES)
    )


def _is_number(value: Any) -> bool:
    """Whether it is a number that float64 holds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value.bit_length() < 64
    return isinstance(value, float) and math.isfinite(value)


def _is_curve(curve: Any) -> bool:
    if not isinstance(curve, dict):
        return False
    x, y = curve.get("x"), curve.get("y")
    return (
        isinstance(x, list)
        and isinstance(y, list)
        and len(x) == len(y) > 0
        and all(map(_is_number, x))
        and all(value is None or _is_number(value) for value in y)
        and all(isinstance(curve.get(name), str) for name in ("x_name", "y_name"))
        and isinstance(curve.get("logarithmic"), bool)
    )
