"""RESULTS.md says what results/ holds."""

from __future__ import annotations

from pathlib import Path

from seqdis.eval.report.results_page import main

ROOT = Path(__file__).parents[2]


def test_the_results_page_is_current() -> None:
    assert main(["--check", "--root", str(ROOT)]) == 0, "run: python -m seqdis.eval.report.results_page"
