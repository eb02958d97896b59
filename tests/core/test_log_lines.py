from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqdis.core.log_lines import read_log_lines
from seqdis.core.training.curves import read_curves
from seqdis.core.training.logs import truncate_log
from seqdis.core.training.notes import read_notes

CURVE = {"x": [0, 1.5], "y": [None, 2.0], "x_name": "lag", "y_name": "nats", "logarithmic": False}
WHOLE = [
    {"step": 0, "started_from": "elsewhere"},
    {"step": 3, "loss": 0.5, "term": None, "epoch": 1},
    {"step": 4, "changed": {"train.lr": [0.1, 0.2]}},
    {"step": 6, "loss": 0.25, "term": 1e300},
    {"step": 6, "curves": {"c": CURVE}},
]
NO_LINES = [
    "",
    "{",
    "[" * 100_000,
    "3",
    "[]",
    "null",
    "{}",
    '{"step": "x", "loss": 1}',
    '{"step": null, "loss": 1}',
    '{"step": true, "loss": 1}',
    '{"step": 1.5, "loss": 1}',
    '{"step": -1, "loss": 1}',
    '{"step": 99999999999999999999, "loss": 1}',
    '{"step": 3, "loss": "x"}',
    '{"step": 3, "loss": true}',
    '{"step": 3, "loss": NaN}',
    '{"step": 3, "loss": 1e999}',
    '{"step": 3, "loss": ' + "9" * 400 + "}",
    '{"step": 3, "loss": {"a": 1}}',
    '{"step": 3, "curves": 3}',
    '{"step": 3, "curves": {"c": []}}',
    *(
        json.dumps({"step": 3, "curves": {"c": CURVE | change}})
        for change in (
            {"x": [0]},
            {"x": [], "y": []},
            {"x": [None, 1]},
            {"y": ["a", 1]},
            {"x_name": 3},
            {"y_name": None},
            {"logarithmic": "no"},
        )
    ),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Whole lines between lines of every other kind."""
    lines = list(NO_LINES)
    for number, record in enumerate(WHOLE):
        lines.insert(7 * number, json.dumps(record))
    (tmp_path / "log.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"step": 9, "lo\xff\xfe')
    return tmp_path / "log.jsonl"


def test_what_no_training_wrote_is_left_out_by_every_reader(log: Path) -> None:
    assert [line.record for line in read_log_lines(log)] == WHOLE
    assert read_notes(log) == [WHOLE[0], WHOLE[2]]
    assert read_curves(log) == {"c": [(6, CURVE)]}
    truncate_log(log, 4, noted=["changed"])
    assert [json.loads(line) for line in log.read_text().splitlines()] == WHOLE[:2]


def test_no_file_is_no_lines(tmp_path: Path) -> None:
    assert read_log_lines(tmp_path / "log.jsonl") == []
