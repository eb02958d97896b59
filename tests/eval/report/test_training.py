from __future__ import annotations

import json
from pathlib import Path

from seqdis.eval.report.training import read_log, training_charts, validation_chart


def test_a_log_without_its_last_line_is_read(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []
    (tmp_path / "log.jsonl").write_text(
        '{"step": 1, "loss": 2.0}\n[1]\n{"step": 2, "loss": 1.0}\n{"step": 3, "lo'
    )
    assert [r["step"] for r in read_log(tmp_path)] == [1, 2]


def test_losses_and_terms_are_charts_of_their_own() -> None:
    records = [
        {"step": 1, "loss": 3.0, "kl": 1.0, "mse": 2.0, "learning_rate": 1e-3, "grad_norm": 5.0, "epoch": 0},
        {"step": 2, "loss": 2.0, "kl": None, "mse": 1.0},
        {"step": 2, "val_loss": 2.5, "val_kl": 1.0},
    ]
    losses, terms = training_charts(records)
    assert {line.title: list(zip(line.x, line.y, strict=True)) for line in losses.lines} == {
        "training": [(1, 3.0), (2, 2.0)],
        "validation": [(2, 2.5)],
    }
    assert {line.title: list(zip(line.x, line.y, strict=True)) for line in terms.lines} == {
        "kl": [(1, 1.0)],
        "mse": [(1, 2.0), (2, 1.0)],
    }
    assert training_charts([]) == []
    assert len(training_charts([{"step": 1, "loss": 3.0, "diffusion": 3.0}])) == 1


def test_long_logs_are_thinned_and_end_where_they_end() -> None:
    records = [{"step": i, "loss": float(i)} for i in range(1, 5002)]
    (chart,) = training_charts(records)
    (line,) = chart.lines
    assert len(line.x) <= 400
    assert (line.x[-1], line.y[-1]) == (5001, 5001)


def test_runs_are_compared_by_what_all_of_them_have() -> None:
    with_val = [{"step": 1, "loss": 3.0}, {"step": 1, "val_loss": 2.0}]
    without = [{"step": 1, "loss": 4.0}]
    both = validation_chart({"a": with_val, "b": with_val})
    assert both is not None
    assert (both.title, [line.title for line in both.lines]) == ("Validation loss", ["a", "b"])
    mixed = validation_chart({"a": with_val, "b": without})
    assert mixed is not None
    assert mixed.title == "Training loss"
    assert validation_chart({"a": with_val, "b": []}) is None


def test_lines_that_no_training_wrote_are_in_no_chart(tmp_path: Path) -> None:
    whole = [{"step": step, "loss": 1.0, "term": 0.5, "other": 2.0} for step in (1, 2)]
    odd = [
        '{"step": "x", "loss": 1}',
        '{"step": 3, "loss": {"a": 1}}',
        '{"step": 3, "loss": 1e999}',
        "[]",
        "{",
    ]
    (tmp_path / "log.jsonl").write_text("\n".join([*odd, *map(json.dumps, whole), *odd]))
    assert training_charts(read_log(tmp_path)) == training_charts(whole)
    assert validation_chart({"run": read_log(tmp_path)}) == validation_chart({"run": whole})
