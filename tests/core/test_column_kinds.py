"""Which columns of numbers look like a time or an identifier, and which do not."""

from __future__ import annotations

import numpy as np
import pytest

from seqdis.core.column_kinds import (
    counts_up,
    is_unix_time,
    looks_like_identifier,
    looks_like_time,
    names_a_time,
    unix_power,
)

UP, CYCLE, NOISE = np.arange(12.0), np.arange(12.0) % 4, np.random.default_rng(0).normal(size=12)


@pytest.mark.parametrize("name", ["time", "Time (s)", "timestamp", "DATE", "time_ms", "DateTime"])
def test_names_that_are_a_time_whatever_the_column_holds(name: str) -> None:
    assert names_a_time(name)
    assert looks_like_time(name, NOISE)


@pytest.mark.parametrize("name", ["step", "t", "elapsed_time", "hour", "frame", "Year", "recordingTime"])
def test_names_that_are_a_time_where_the_column_increases(name: str) -> None:
    assert looks_like_time(name, UP)
    assert not looks_like_time(name, CYCLE)
    assert looks_like_time(name, CYCLE, [np.arange(i, i + 4) for i in (0, 4, 8)])


@pytest.mark.parametrize(
    "name", ["load", "temperature", "count", "timeliness", "time_to_failure", "time_of_day"]
)
def test_other_names_are_no_time(name: str) -> None:
    assert not looks_like_time(name, NOISE)
    assert not looks_like_time(name, CYCLE)


def test_unix_times_by_their_size() -> None:
    seconds = 1700000000 + 60 * np.arange(12)
    for power in range(4):
        assert is_unix_time(seconds * 1000**power)
        assert unix_power(seconds * 1000**power) == power
        assert looks_like_time("load", seconds * 1000**power)
    assert not is_unix_time(seconds[::-1])
    assert not is_unix_time(UP)
    assert not is_unix_time(np.array([1.7e9, np.nan]))


@pytest.mark.parametrize("name", ["id", "patient_id", "PatientID", "subjectId", "unit", "Trial"])
def test_whole_numbers_are_an_identifier_by_their_name(name: str) -> None:
    assert looks_like_identifier(name, CYCLE)
    assert not looks_like_identifier(name, NOISE)


def test_whole_numbers_in_blocks_are_an_identifier_where_they_come_first() -> None:
    blocks = np.repeat([3, 4, 9], 4)
    assert looks_like_identifier("a", blocks, first=True)
    assert not looks_like_identifier("a", blocks)
    assert not looks_like_identifier("a", CYCLE, first=True)
    assert not looks_like_identifier("a", np.full(12, 3), first=True)


def test_numbers_that_count_up() -> None:
    assert counts_up(UP)
    assert counts_up(0.1 * UP)
    assert not counts_up(UP[:5])
    assert not counts_up(UP**1.1)
    assert not counts_up(UP[::-1])
