"""RESULTS.md and the pages of all datasets say what results/ holds."""

from __future__ import annotations

from pathlib import Path

from seqdis.core.results import RESULT_SCHEMA, ResultRecord, read_schema
from seqdis.eval.report.results_page import main

ROOT = Path(__file__).parents[2]


def test_the_pages_of_results_are_current() -> None:
    assert main(["--check", "--root", str(ROOT)]) == 0, "run: python -m seqdis.eval.report.results_page"


def test_every_result_names_its_trainings_and_what_to_look_at_first() -> None:
    files = [path for path in (ROOT / "results").glob("*.json") if read_schema(path) == RESULT_SCHEMA]
    records = {path.name: ResultRecord.load(path) for path in files}
    assert records
    lacking = [name for name, record in records.items() if not (record.trainings and record.headline)]
    assert lacking == [], "run: python -m seqdis.eval.report.complete_results results/*.json"
