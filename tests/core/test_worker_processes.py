from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqdis.core.worker_processes import Outcome, outcomes, usable_cores


def test_calls_end_with_a_value_or_a_reason() -> None:
    got = list(outcomes(int, ["1", "x", "3"], workers=1))
    assert got == [
        Outcome("1", 1, None),
        Outcome("x", None, "invalid literal for int() with base 10: 'x'"),
        Outcome("3", 3, None),
    ]


def test_an_error_that_is_no_value_error_is_named_by_its_type(tmp_path: Path) -> None:
    (got,) = outcomes(os.listdir, [str(tmp_path / "no")], workers=1)
    assert got.error is not None
    assert got.error.startswith("FileNotFoundError: [Errno 2] No such file or directory")


def test_several_processes_do_what_one_does() -> None:
    jobs = [str(number) for number in range(7)] + ["x"]
    several = sorted(outcomes(int, jobs, workers=2), key=lambda one: one.job)
    assert several == sorted(outcomes(int, jobs, workers=1), key=lambda one: one.job)


def test_a_process_that_dies_is_named_and_replaced() -> None:
    # os._exit ends the process at once; _exit of a word is a TypeError.
    got = {str(one.job): one for one in outcomes(os._exit, [7, "word", 9, "other"], workers=2)}
    assert got["7"].error == "the process that worked on it died (exit code 7)"
    assert got["9"].error == "the process that worked on it died (exit code 9)"
    assert str(got["other"].error).startswith("TypeError")


def test_nothing_to_do_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqdis.core.worker_processes._Worker", None)
    assert list(outcomes(int, [], workers=4)) == []
    assert [one.value for one in outcomes(int, ["5"], workers=4)] == [5]


def test_there_is_a_core() -> None:
    assert usable_cores() >= 1
