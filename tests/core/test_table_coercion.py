from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from seqdis.core.coercion import as_sequences
from seqdis.core.errors import InputError

TABLE = {
    "patient": ["b", "a", "b", "a", "b"],
    "hour": [0, 0, 1, 2, 3],
    "pulse": [60.0, 80.0, None, 82.0, 63.0],
    "note": ["", "x", "", "", ""],
    "drops": [1, 2, 3, 4, 5],
}
COLUMNS = {"id_column": "patient", "time_column": "hour"}


@pytest.fixture(params=["pandas", "polars"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    return pytest.importorskip(request.param)


def test_a_long_table_becomes_sequences_with_keys_and_stamps(library: Any) -> None:
    sequences = as_sequences(library.DataFrame(TABLE), **COLUMNS)
    assert sequences.keys == ("b", "a")
    assert sequences.lengths.tolist() == [3, 2]
    assert sequences.x.tolist() == [[[60, 1], [0, 3], [63, 5]], [[80, 2], [82, 4], [0, 0]]]
    assert sequences.observed is not None
    assert sequences.observed[0].tolist() == [[True, True], [False, True], [True, True]]
    assert sequences.stamps is not None
    assert sequences.stamps[0].tolist() == [0, 1, 3]
    assert sequences.stamps[1, :2].tolist() == [0, 2]


def test_channels_can_be_named_in_any_order(library: Any) -> None:
    sequences = as_sequences(library.DataFrame(TABLE), columns=["drops", "pulse"], id_column="patient")
    assert sequences.x[1, 1].tolist() == [4, 82]
    assert sequences.stamps is None


def test_a_table_without_an_id_is_one_sequence(library: Any) -> None:
    sequences = as_sequences(library.DataFrame({"a": [1, 2], "b": [3, 4]}), frame_shape=(2,))
    assert sequences.x.tolist() == [[[1, 3], [2, 4]]]
    assert sequences.keys == ()


def test_times_and_numeric_ids_are_read(library: Any) -> None:
    days = np.array(["2026-01-01", "2026-01-02", "2026-01-02"], dtype="datetime64[ms]")
    table = library.DataFrame({"id": [7, 7, 3], "day": days, "x": [1.0, 2.0, 3.0]})
    sequences = as_sequences(table, id_column="id", time_column="day")
    assert sequences.keys == ("7", "3")
    assert sequences.stamps is not None
    assert (sequences.stamps[0] == days[:2]).all()
    assert np.isnat(sequences.stamps[1, 1])


def test_dates_as_text_are_read_as_a_file_of_values_separated_by_commas_holds_them(library: Any) -> None:
    days = ["2026-01-01 23:30", "2026-01-02 00:15:30.5", "2026-01-03"]
    sequences = as_sequences(library.DataFrame({"t": days, "x": [1.0, 2.0, 3.0]}), time_column="t")
    assert sequences.stamps is not None
    assert (sequences.stamps[0] == np.array(days, dtype="datetime64[us]")).all()
    dates = library.DataFrame({"t": [date(2026, 1, 1), date(2026, 2, 1)], "x": [1, 2]})
    stamps = as_sequences(dates, time_column="t").stamps
    assert stamps is not None
    assert stamps.astype("datetime64[D]").tolist() == [[date(2026, 1, 1), date(2026, 2, 1)]]
    with pytest.raises(InputError, match="'t': no time in row 1"):
        as_sequences(library.DataFrame({"t": [days[0], None], "x": [1.0, 2.0]}), time_column="t")


def test_durations_are_seconds(library: Any) -> None:
    lasted = np.array([0, 1500], dtype="timedelta64[ms]")
    sequences = as_sequences(library.DataFrame({"t": lasted, "x": [1.0, 2.0]}), time_column="t")
    assert sequences.stamps is not None
    assert sequences.stamps.tolist() == [[0.0, 1.5]]


def test_a_column_of_truth_values_is_one_where_it_is_named(library: Any) -> None:
    sequences = as_sequences(library.DataFrame({"on": [True, None, False]}), columns=["on"])
    assert sequences.x.flatten().tolist() == [1, 0, 0]
    assert sequences.observed is not None
    assert sequences.observed.flatten().tolist() == [True, False, True]


def test_two_columns_of_one_name_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match="two columns are called 'a'; allowed: each name once"):
        as_sequences(pandas.DataFrame(np.zeros((2, 2)), columns=["a", "a"]))


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"hour": [0, 0, 3, 2, 1]}, COLUMNS, "sequence b: 'hour' is 1 in row 4, after 3"),
        ({"hour": [0, 0, 1, 0, 3]}, COLUMNS, "sequence a: 'hour' is 0 in row 3, after 0"),
        ({"patient": ["b", None, "b", "a", "b"]}, COLUMNS, "'patient' names no sequence in row 1"),
        ({"hour": [0, 0, None, 2, 3]}, COLUMNS, "column 'hour': no time in row 2"),
        ({"hour": list("abcde")}, COLUMNS, "'hour': .*allowed: numbers, times, or text"),
        ({}, {"id_column": "patent"}, r"unknown column of input 'patent' \(did you mean 'patient'\?\)"),
        ({}, {**COLUMNS, "columns": ["note"]}, "column 'note': .*cannot be read as numbers"),
        ({"pulse": list("abcde"), "drops": list("abcde")}, COLUMNS, "5 rows with 0 columns of numbers"),
        ({}, {**COLUMNS, "frame_shape": (3,)}, r"sequence b: shape \(3, 2\); allowed: \(V, 3\)"),
    ],
)
def test_tables_that_cannot_be_read_are_refused(
    library: Any, changes: dict, options: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        as_sequences(library.DataFrame({**TABLE, **changes}), **options)


def test_an_empty_table_is_refused(library: Any) -> None:
    with pytest.raises(InputError, match="a table of 0 rows"):
        as_sequences(library.DataFrame(TABLE)[:0])


def test_nullable_columns_and_time_zones_of_pandas_are_read() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "x": pandas.array([1, None, 3], dtype="Int64"),
            "t": pandas.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]).tz_localize("Asia/Jerusalem"),
        }
    )
    sequences = as_sequences(table, time_column="t")
    assert sequences.observed is not None
    assert sequences.observed[0, :, 0].tolist() == [True, False, True]
    assert sequences.stamps is not None
    assert sequences.stamps[0, 0] == np.datetime64("2025-12-31T22:00")


def test_levels_of_an_index_serve_as_id_and_time() -> None:
    pandas: Any = pytest.importorskip("pandas")
    plain = pandas.DataFrame(TABLE)
    indexed = plain.set_index(["patient", "hour"])
    named, expected = as_sequences(indexed, **COLUMNS), as_sequences(plain, **COLUMNS)
    assert named.keys == expected.keys
    assert named.x.equal(expected.x)
    assert named.stamps is not None
    assert np.array_equal(named.stamps, expected.stamps)
    with pytest.raises(InputError, match="levels patient, hour; allowed: one of them as id_column"):
        as_sequences(indexed)
    with pytest.raises(InputError, match=r"column of input .patients.*patient"):
        as_sequences(indexed, id_column="patients")


def test_numbers_in_a_column_of_any_type_are_a_channel() -> None:
    pandas: Any = pytest.importorskip("pandas")
    mixed = pandas.DataFrame({"a": [1.0, 2.0], "b": [Decimal("0.5"), None]})
    mixed["e"] = pandas.Series([7, 2.5], dtype=object)
    sequences = as_sequences(mixed)
    assert sequences.x.tolist() == [[[1.0, 0.5, 7.0], [2.0, 0.0, 2.5]]]


def test_columns_that_look_like_an_identifier_or_a_time_must_be_named(library: Any) -> None:
    days = np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[ms]")
    table = library.DataFrame({"who": ["a", "b"], "day": days, "x": [1.0, 2.0]})
    with pytest.raises(InputError, match=r"column 'who' holds .*; allowed: named as id_column"):
        as_sequences(table)
    with pytest.raises(InputError, match=r"column 'day' holds .*; allowed: named as time_column"):
        as_sequences(table, id_column="who")
    assert as_sequences(table, id_column="who", time_column="day").x.tolist() == [[[1.0]], [[2.0]]]
    assert as_sequences(table, columns=["x"]).x.tolist() == [[[1.0], [2.0]]]


def test_truth_values_and_numbers_that_look_like_an_identifier_or_a_time_must_be_named(library: Any) -> None:
    x = [1.5, 2.5, 0.5]
    for other, message in (
        ({"id": [4, 4, 7]}, "column 'id' holds .* as an identifier does; allowed: named as id_column"),
        ({"patientId": [4.0, 4.0, 7.0]}, "column 'patientId' .* as an identifier does"),
        ({"time": [0.0, 0.1, 0.2]}, "column 'time' holds .* as a time does; allowed: named as time_column"),
        ({"step": [0, 1, 2]}, "column 'step' .* as a time does"),
        ({"when": [1700000000, 1700000060, 1700000120]}, "column 'when' .* as a time does"),
        ({"on": [True, False, True]}, "column 'on' .* true and false; allowed: named in columns"),
    ):
        table = library.DataFrame({**other, "x": x})
        with pytest.raises(InputError, match=message):
            as_sequences(table)
        assert as_sequences(table, columns=["x"]).x.flatten().tolist() == x
        assert as_sequences(table, columns=[*other, "x"]).x.shape == (1, 3, 2)
    cyclic = library.DataFrame({"hour": [22, 23, 0], "x": x})
    assert as_sequences(cyclic).x.shape == (1, 3, 2)


def test_a_time_that_starts_again_with_each_sequence_must_be_named(library: Any) -> None:
    table = library.DataFrame({"who": ["a", "a", "b", "b"], "step": [0, 1, 0, 1], "x": [1.0, 2.0, 3.0, 4.0]})
    with pytest.raises(InputError, match=r"column 'step' holds .* as a time does"):
        as_sequences(table, id_column="who")
    assert as_sequences(table, id_column="who", time_column="step").x.shape == (2, 2, 1)


def test_texts_of_an_index_that_occur_several_times_are_an_identifier() -> None:
    pandas: Any = pytest.importorskip("pandas")
    table = pandas.DataFrame({"x": [1.0, 2.0, 3.0]}, index=["a", "a", "b"])
    with pytest.raises(InputError, match=r"an index of texts that occur several times .*rename_axis"):
        as_sequences(table)
    named = table.rename_axis("who")
    with pytest.raises(InputError, match=r"allowed: id_column='who'"):
        as_sequences(named)
    assert as_sequences(named, id_column="who").keys == ("a", "b")
    assert as_sequences(table.set_index(pandas.Index(["a", "b", "c"]))).x.shape == (1, 3, 1)


def test_the_dates_beside_an_identifier_in_an_index_are_stamps() -> None:
    pandas: Any = pytest.importorskip("pandas")
    days = pandas.to_datetime(["2026-01-01", "2026-01-03", "2026-01-02"])
    index = pandas.MultiIndex.from_arrays([["a", "a", "b"], days, [0, 1, 0]], names=["who", "day", "visit"])
    table = pandas.DataFrame({"x": [1.0, 2.0, 3.0]}, index=index)
    sequences = as_sequences(table, id_column="who")
    assert sequences.stamps is not None
    assert np.array_equal(sequences.stamps[0], days[:2].to_numpy())
    with pytest.raises(InputError, match=r"index levels visit beside the id; allowed: one as time_column"):
        as_sequences(table.droplevel("day"), id_column="who")


def test_the_dates_of_an_index_are_stamps() -> None:
    pandas: Any = pytest.importorskip("pandas")
    days = pandas.to_datetime(["2026-01-01", "2026-01-03", "2026-01-02"])
    table = pandas.DataFrame({"who": ["a", "a", "b"], "x": [1.0, 2.0, 3.0]}, index=days)
    sequences = as_sequences(table, id_column="who")
    assert sequences.stamps is not None
    assert np.array_equal(sequences.stamps[0], days[:2].to_numpy())
    with pytest.raises(InputError, match=r"'index' is 2026-01-02.*in row 2, after 2026-01-03"):
        as_sequences(table[["x"]])
