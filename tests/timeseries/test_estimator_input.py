"""Series in every form that users of scikit-learn and aeon hold them in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.estimator_input import EstimatorInput, holds_rows, read_rows, read_series_input

SERIES = np.random.default_rng(0).normal(size=(4, 7, 2)).astype(np.float32)


def long_table() -> pd.DataFrame:
    """Rows of three patients in turns; patient 9 comes first."""
    return pd.DataFrame(
        {
            "patient": [9, 2, 9, 5, 2, 9],
            "hour": [0, 0, 1, 0, 3, 2],
            "pulse": [61.0, 70.0, np.nan, 80.0, 71.0, 63.0],
            "pressure": [120, 118, 121, 131, 117, 122],
        }
    )


def series(given: EstimatorInput) -> list[np.ndarray]:
    """The series as they were before padding, NaN where nothing was measured."""
    s = given.sequences
    x = s.x.numpy() if s.observed is None else np.where(s.observed.numpy(), s.x.numpy(), np.nan)
    return [row[:length] for row, length in zip(x, s.lengths.tolist(), strict=True)]


def test_both_layouts_of_arrays_and_of_lists() -> None:
    turned = SERIES.swapaxes(1, 2)
    unequal = [SERIES[0], SERIES[1, :4], SERIES[2, :1]]
    for X, layout in ((SERIES, "NTF"), (turned, "NFT"), (list(SERIES), "NTF"), (list(turned), "NFT")):
        np.testing.assert_array_equal(series(read_series_input(X, layout=layout)), SERIES)
    for X, layout in ((unequal, "NTF"), ([one.T for one in unequal], "NFT")):
        for got, wanted in zip(series(read_series_input(X, layout=layout)), unequal, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_one_channel_needs_no_dimension_of_its_own() -> None:
    rows = SERIES[:, :, 0]
    assert holds_rows(rows, None)
    np.testing.assert_array_equal(series(read_rows(rows)), rows[:, :, None])
    unequal = [rows[0], rows[1, :3].tolist()]
    assert not holds_rows(unequal, None)
    for layout in ("NTF", "NFT"):
        got = series(read_series_input(unequal, layout=layout))
        np.testing.assert_array_equal(got[0], rows[0][:, None])
        np.testing.assert_array_equal(got[1], rows[1, :3, None])


def test_an_array_of_objects_is_a_list() -> None:
    cells = np.empty(2, dtype=object)
    cells[:] = [SERIES[0], SERIES[1, :4]]
    assert not holds_rows(cells, None)
    assert read_series_input(cells).sequences.lengths.tolist() == [7, 4]


def test_a_long_table_has_a_row_for_each_identifier_in_order_of_first_occurrence() -> None:
    table = long_table()
    given = read_series_input(table, id_column="patient", time_column="hour")
    assert given.columns == ("pulse", "pressure")
    assert given.ids is not None
    assert given.ids.tolist() == [9, 2, 5]
    for identifier, got in zip(given.ids, series(given), strict=True):
        chosen = table[table.patient == identifier][["pulse", "pressure"]]
        np.testing.assert_array_equal(got, chosen.to_numpy(np.float32))
    indexed = read_series_input(table.set_index(["patient", "hour"]), id_column="patient", time_column="hour")
    assert indexed.ids is not None
    assert indexed.ids.tolist() == [9, 2, 5]
    np.testing.assert_array_equal(indexed.sequences.x, given.sequences.x)


def test_a_list_of_tables_takes_the_channels_of_the_first() -> None:
    table = long_table()
    parts = [part for _, part in table.groupby("patient", sort=False)]
    parts[1] = parts[1][["pressure", "hour", "patient", "pulse"]]
    whole = read_series_input(table, id_column="patient", time_column="hour")
    given = read_series_input(parts, id_column="patient", time_column="hour")
    assert given.columns == whole.columns
    assert given.ids is None
    for got, wanted in zip(series(given), series(whole), strict=True):
        np.testing.assert_array_equal(got, wanted)
    one = read_series_input([part[["pulse"]] for part in parts])
    assert one.columns == ("pulse",)
    with pytest.raises(InputError, match=r"X: sequence 0: a table of 3 values of 'patient'; allowed: one a"):
        read_series_input([table], id_column="patient", time_column="hour")
    with pytest.raises(InputError, match=r"unknown column of X: sequence 2 'pressure'"):
        read_series_input([*parts[:2], parts[2][["hour", "pulse"]]], id_column="patient", time_column="hour")


def test_a_table_without_identifiers_is_one_series_a_row() -> None:
    assert holds_rows(pd.DataFrame(SERIES[:, :, 0]), None)
    assert not holds_rows(long_table(), "patient")
    with pytest.raises(
        InputError, match=r"X: a table whose index has the levels patient, hour; allowed: id_col"
    ):
        holds_rows(long_table().set_index(["patient", "hour"]), None)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (SERIES[None], {}, r"X: shape \(1, 4, 7, 2\); allowed: \(N, T, F\), \(N, F, T\) with layout='NFT'"),
        ([], {}, r"X: an empty list"),
        (SERIES[:0], {}, r"X: shape \(0, 7, 2\) is empty"),
        (
            [SERIES[0], SERIES[1, :, :1]],
            {},
            r"X: sequence 1: frames of shape \(1,\); the first .* has \(2,\)",
        ),
        ([SERIES[0], 3.0], {}, r"X: sequence 1: shape \(1,\); allowed: \(V, any\)"),
        (np.full((2, 3, 1), np.inf), {}, r"X: 6 values are infinite"),
        (["abc"], {}, r"X: sequence 0: a ndarray of type <U3; allowed"),
        (SERIES, {"id_column": "patient"}, r"X: id_column is for a table; got ndarray"),
        (list(SERIES), {"columns": ["pulse"]}, r"X: columns is for a table; got list"),
        (
            long_table(),
            {"id_column": "patiant"},
            r"unknown column of X 'patiant' \(did you mean 'patient'\?\)",
        ),
    ],
)
def test_what_cannot_be_read(X: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_series_input(X, **options)
    assert "\n" not in str(caught.value)
