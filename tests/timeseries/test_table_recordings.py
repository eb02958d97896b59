"""Tables as recordings: by identifier, in time, with labels of recordings and of steps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.table_recordings import UNLABELLED, TableRecording, table_recordings


def recordings(table: pd.DataFrame, **options: object) -> list[TableRecording]:
    return table_recordings(table, "x.csv", SeriesOptions.model_validate(options))


def long_table(seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "who": f"p{i}",
                "t": np.arange(steps) * 0.5,
                "kind": "even" if i % 2 == 0 else "odd",
                "act": draw.choice(["walk", "sit"], steps),
                "a": draw.normal(size=steps),
                "b": draw.normal(size=steps),
            }
        )
        for i, steps in enumerate(draw.integers(3, 12, 8))
    ]
    return pd.concat(parts, ignore_index=True)


NAMED = {"id_column": "who", "time_column": "t", "label_columns": ["kind"], "step_label_columns": ["act"]}


@pytest.mark.parametrize("mixed", [False, True])
def test_every_identifier_is_a_recording_of_its_own_rows(mixed: bool) -> None:
    table = long_table()
    shuffled = table.sample(frac=1, random_state=0, ignore_index=True) if mixed else table
    found = {one.identifier: one for one in recordings(shuffled, **NAMED, sort=mixed)}
    assert found.keys() == set(table["who"])
    for who, rows in table.groupby("who"):
        one = found[who]
        assert np.array_equal(one.values, rows[["a", "b"]])
        assert one.times is not None
        assert np.array_equal(one.times, rows["t"])
        assert one.labels == {"kind": rows["kind"].iloc[0]}
        assert one.classes["act"].tolist() == rows["act"].tolist()


def test_rows_of_interleaved_recordings_keep_their_order() -> None:
    table = long_table()
    mixed = table.sort_values("t", kind="stable", ignore_index=True)
    for one in recordings(mixed, **NAMED):
        assert np.array_equal(one.values, table.loc[table["who"] == one.identifier, ["a", "b"]])


def test_times_are_checked_within_each_recording() -> None:
    table = long_table()
    second = table.index[table["who"] == "p1"]
    table.loc[second[2], "t"] = table.loc[second[1], "t"]
    with pytest.raises(
        InputError, match=rf"x.csv#p1: 't' is 0.5 in data row {second[2] + 1}, as in data row {second[1] + 1}"
    ):
        recordings(table, **NAMED)
    (resampled,) = [one for one in recordings(table, **NAMED, freq=0.5) if one.identifier == "p1"]
    assert resampled.values[1] == pytest.approx(table.loc[second[1:3], ["a", "b"]].mean().to_numpy())
    assert np.isnan(resampled.values[2]).all()


def test_whole_numbers_are_identifiers_without_a_point() -> None:
    table = pd.DataFrame({"id": [3.0, 3.0, 12.0], "a": [1.5, 2.5, 3.5]})
    assert [one.identifier for one in recordings(table, id_column="id")] == ["3", "12"]


def test_an_empty_cell_of_a_step_label_is_a_class_of_its_own() -> None:
    table = pd.DataFrame({"act": ["w", None, "s"], "a": [1.5, 2.5, 3.5]})
    (one,) = recordings(table, step_label_columns="act")
    assert one.classes["act"].tolist() == ["w", UNLABELLED, "s"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"who": ["a", None, "b"]}, "id column 'who' is missing in data row 2; allowed: one in every row"),
        (
            {"kind": ["p", "q", "q"]},
            "x.csv#a: label column 'kind' is q in data row 2 and p before; .*step_label_columns=kind",
        ),
        ({"kind": ["p", None, "q"]}, "x.csv#a: label column 'kind' is missing in data row 2"),
        ({"t": [0.0, None, 0.0]}, "x.csv: column 't' is missing in data row 2"),
        ({"t": [1.0, 0.0, 0.0]}, "x.csv#a: 't' is 0.0 in data row 2, before 1.0 in data row 1"),
        (
            {"a": [1.5, -999, 2.5]},
            "'a' is -999 in data row 2, far below its other values; allowed: missing=-999",
        ),
    ],
)
def test_rows_that_cannot_be_used_are_named(changes: dict, message: str) -> None:
    table = pd.DataFrame(
        {"who": ["a", "a", "b"], "kind": ["p", "p", "q"], "t": [0.0, 1.0, 0.0], "a": [1.5, 2.5, 3.5]}
    )
    with pytest.raises(InputError, match=message):
        recordings(table.assign(**changes), id_column="who", time_column="t", label_columns="kind")


def test_numbers_that_mean_missing_are_named_or_kept() -> None:
    table = pd.DataFrame({"a": [1.5, -999, 2.5], "b": [-999.0, -1200.0, -800.0]})
    (named,) = recordings(table, missing=-999)
    assert np.isnan(named.values).tolist() == [[False, True], [True, False], [False, False]]
    (kept,) = recordings(table, missing=False)
    assert np.array_equal(kept.values, table)
    (plain,) = recordings(table[["b"]])
    assert np.array_equal(plain.values, table[["b"]])


def test_steps_of_another_length_than_those_learnt_from() -> None:
    table = pd.DataFrame(
        {"date": pd.date_range("2024-01-01", periods=9, freq="15min"), "a": np.arange(9) * 1.5}
    )
    assert len(recordings(table, step=15, unit="min")[0].values) == 9
    with pytest.raises(
        InputError, match=r"steps of 15min .'date'.; the first file learnt from has 1h; .*freq=1h"
    ):
        recordings(table, step=1, unit="h")
    assert len(recordings(table, step=1, unit="h", freq="1h")[0].values) == 3
    seconds = pd.DataFrame({"time_s": np.arange(9) * 900.0, "a": np.arange(9) * 1.5})
    with pytest.raises(InputError, match="steps of 900s"):
        recordings(seconds, step=1, unit="h")


def test_unix_times_can_be_resampled_by_a_clock() -> None:
    table = pd.DataFrame({"timestamp": [1700002800, 1700006400, 1700013600], "a": [1.5, 2.5, 3.5]})
    (one,) = recordings(table, freq="1h")
    assert one.times is not None
    assert one.times.dtype.kind == "M"
    assert np.isnan(one.values[:, 0]).tolist() == [False, False, True, False]
    with pytest.raises(InputError, match="freq=1h, but no column holds times"):
        recordings(table[["a"]], freq="1h")
