"""``seqdis eval``: what it refuses; tests/integration runs it on each modality."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("command", ["bitrate", "content", "few-steps", "priors", "speaker", "swap"])
def test_bad_input_is_refused_with_one_line(command: str, tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    result = seqdis("eval", command, tmp_path / "absent", "--out", out)
    assert result.exit_code == 2
    assert result.stderr == f"error: {tmp_path / 'absent'}: no such run folder\n"
    (tmp_path / "empty").mkdir()
    result = seqdis("eval", command, tmp_path / "empty", "--out", out)
    assert result.exit_code == 2
    assert "holds no model" in result.stderr
    assert not out.exists()


def test_a_report_of_nothing_is_refused_with_one_line(tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    result = seqdis("eval", "report", tmp_path / "absent", "--out", out)
    assert (result.exit_code, result.stderr) == (2, f"error: {tmp_path / 'absent'}: no such run folder\n")
    assert not out.exists()


def test_published_figures_are_printed_and_given_as_json() -> None:
    printed = seqdis("eval", "published", "--dataset", "ett", "--table", "14").stdout
    assert "DiffSDA, Tab. 14: Time series prediction (ett, prediction)" in printed
    assert "12.27 ± 0.03" in printed
    assert "auprc" not in printed
    found = json.loads(seqdis("eval", "published", "--dataset", "ett", "--method", "GLR", "--json").stdout)
    assert [(one["table"], one["value"], one["deviation"]) for one in found] == [
        ("5", 12.3, 0.03),
        ("14", 12.27, 0.03),
    ]


def test_an_unknown_published_name_is_refused_with_one_line() -> None:
    result = seqdis("eval", "published", "--dataset", "etth1")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: unknown published dataset 'etth1'")
    assert seqdis("eval", "published", "--dataset", "mug", "--metric", "eer_static").stdout == (
        "no published figure fits all of these\n"
    )


def test_help_lists_the_measurements() -> None:
    text = seqdis("eval", "--help").stdout
    assert "few-steps" in text
    assert "priors" in text
    assert "swap" in text


def test_a_comparison_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    result = seqdis("benchmark", "nowhere", "--budget", "5", "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr
    result = seqdis("benchmark", "nowhere", "--budget", "soon", "--runs", tmp_path / "runs")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: budget 'soon'; allowed: a time such as 90s, 10m, 1.5h, or a number of steps\n"
    )
    assert not (tmp_path / "runs").exists()


def test_a_curve_of_one_rate_is_refused_before_the_work(tmp_path: Path) -> None:
    words = ["eval", "bitrate", tmp_path, "--out", tmp_path / "x.json", "--picture", tmp_path / "x.png"]
    assert seqdis(*words).stderr == "error: --picture: a curve needs swaps; give --pairs, too\n"
    assert seqdis(*words, "--pairs", 4).stderr == (
        "error: --picture: a curve needs runs at several rates; got 1\n"
    )


def test_help_begins_with_a_capital_letter_but_leaves_symbols_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    text = seqdis("eval", "traversal", "--help").stdout
    assert "α goes from -span to span" in text
    assert "Test clips at most" in text
    assert "\N{GREEK CAPITAL LETTER ALPHA} goes" not in text
