"""What a column of a table is: a channel, a time, an identifier, a label, or something to ask about."""

from __future__ import annotations

import pandas as pd
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.column_roles import ColumnRoles, column_roles
from seqdis.timeseries.options import SeriesOptions

X = [1.5, 2.5, 0.5, 7.25]
DAYS = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]


def roles(table: dict | pd.DataFrame, *, lenient: bool = False, **options: object) -> ColumnRoles:
    return column_roles(pd.DataFrame(table), "x.csv", SeriesOptions.model_validate(options), lenient=lenient)


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        ({"date": DAYS}, ("date",)),
        ({"when": DAYS}, ("when",)),
        ({"hour": ["00:07", "01:07", "02:07", "03:07"]}, ("hour",)),
        ({"time": [0, 1, 2, 3]}, ("time",)),
        ({"Time (s)": [0, 0.1, 0.2, 0.3]}, ("Time (s)",)),
        ({"timestamp": [1700000000, 1700000001, 1700000002, 1700000003]}, ("timestamp",)),
        ({"Date": DAYS, "Time": ["18:00"] * 4}, ("Date", "Time")),
        ({"year": [2020] * 4, "month": [1] * 4, "day": [1, 2, 3, 4]}, ("year", "month", "day")),
        ({"": [0, 1, 2, 3]}, ()),
        ({"No": [1, 2, 3, 4]}, ()),
    ],
)
def test_times_and_row_numbers_are_recognised(columns: dict, time: tuple[str, ...]) -> None:
    found = roles({**columns, "x": X})
    assert found.time == time
    assert found.channels == ("x",)


def test_dates_are_recognised_wherever_they_stand() -> None:
    assert roles({"x": X, "date": DAYS}).time == ("date",)


@pytest.mark.parametrize(
    ("column", "values", "way"),
    [
        ("id", [1, 1, 2, 2], "id_column=id"),
        ("patientId", [1.0, 1.0, 2.0, 2.0], "id_column=patientId"),
        ("step", [0, 1, 2, 3], "time_column=step"),
        ("elapsed_time", [0.0, 0.1, 0.2, 0.3], "time_column=elapsed_time"),
        ("when", [1700000000, 1700000001, 1700000002, 1700000003], "time_column=when"),
        ("on", [True, False, True, True], "columns=A,B,…,on"),
        ("wind", ["N", "NW", "S", "S"], "label_columns=wind"),
    ],
)
def test_what_need_not_be_a_channel_is_asked_for(column: str, values: list, way: str) -> None:
    table = {"x": X, column: values}
    with pytest.raises(InputError, match=f"x.csv: column '{column}' holds .*{way}"):
        roles(table)
    assert roles(table, columns="x", id_column=False).channels == ("x",)
    if column != "wind":
        assert roles(table, columns=["x", column], id_column=False).channels == ("x", column)


def test_ordinary_numbers_are_channels() -> None:
    table = {"a": [1, 2, 3, 4], "count": [5, 5, 6, 7], "hour": [22, 23, 0, 1], "identity": X, "unit": X}
    assert roles(table).channels == tuple(table)


def test_a_first_column_of_whole_numbers_in_blocks_is_an_identifier() -> None:
    table = {"column_1": [1] * 5 + [2] * 5, "column_2": [0.5, 0.25, 0.75, 0.1, 0.2] * 2}
    with pytest.raises(InputError, match="id_column=column_1"):
        roles(table)
    assert roles(table, id_column="column_1").channels == ("column_2",)


def test_a_first_column_that_counts_in_a_file_without_a_header_is_a_time() -> None:
    table = {"column_1": [0.1 * i for i in range(10)], "column_2": [0.5, 0.25] * 5}
    with pytest.raises(InputError, match="time_column=column_1"):
        roles(table)


def test_columns_are_named() -> None:
    table = {
        "who": ["a", "a", "b", "b"],
        "class": [0, 0, 1, 1],
        "act": list("wsws"),
        "x": X,
        "y": X,
        "t": [0, 1, 0, 1],
    }
    found = roles(
        table,
        id_column="who",
        label_columns="class",
        step_label_columns=["act"],
        time_column="t",
        columns=["y", "x"],
    )
    assert found == ColumnRoles(("y", "x"), ("t",), "who", ("class",), ("act",))


@pytest.mark.parametrize(
    "option", ["id_column", "time_column", "label_columns", "step_label_columns", "columns"]
)
def test_a_named_column_must_be_there(option: str) -> None:
    with pytest.raises(
        InputError, match=r"unknown x.csv: .*column 'xx' \(did you mean 'x'\?\); allowed: x, y"
    ):
        roles({"x": X, "y": X}, **{option: "xx"})
    if option == "columns":
        with pytest.raises(InputError, match="'xx'"):
            roles({"x": X}, lenient=True, columns="xx")
    else:
        assert roles({"x": X}, lenient=True, **{option: "xx"}).channels == ("x",)


def test_a_time_can_be_left_out() -> None:
    found = roles({"date": DAYS, "x": X}, time_column=False)
    assert (found.time, found.channels) == ((), ("x",))


def test_several_dates_are_asked_for() -> None:
    with pytest.raises(InputError, match="columns 'start', 'end' hold times; allowed: time_column=start"):
        roles({"start": DAYS, "end": DAYS, "x": X})
    with pytest.raises(InputError, match="column 'end' holds text"):
        roles({"start": DAYS, "end": DAYS, "x": X}, time_column="start")


def test_names_must_be_there_once() -> None:
    double = pd.DataFrame([[1.5, 2.5]], columns=["a", "a"])
    with pytest.raises(InputError, match="two columns are called 'a'; allowed: each name once"):
        roles(double)
    nameless = pd.DataFrame([[1.5, 2.5, 3.5]], columns=["a", "", ""])
    with pytest.raises(InputError, match="column 2 has no name; allowed: a name for each"):
        roles(nameless)
    assert roles(nameless, columns="a").channels == ("a",)


def test_an_identifier_beside_named_channels_is_not_forgotten() -> None:
    table = {"id": [1, 1, 2, 2], "x": X}
    with pytest.raises(InputError, match=r"'id' holds .* allowed: id_column=id, or id_column=false"):
        roles(table, columns="x")
    assert roles({"id": [1] * 4, "x": X}, columns="x").identifier is None


def test_columns_that_the_first_file_has_not_are_refused() -> None:
    given = {"columns": ["x"], "other_columns": "refuse"}
    assert roles({"date": DAYS, "x": X}, **given).channels == ("x",)
    with pytest.raises(
        InputError, match=r"column 'y' is none of the channels x of the file learnt from; .*columns=x"
    ):
        roles({"x": X, "y": X}, **given)


def test_units_and_marks_of_what_is_missing_have_a_way_out() -> None:
    with pytest.raises(InputError, match=r"\('\?' in data row 2\).*missing=\?"):
        roles({"a": ["1", "?", "2", "3"], "x": X})
    with pytest.raises(InputError, match=r"\('\?' in data row 3\).*missing=\?"):
        roles({"a": ["1,5", "2,5", "?", "3"], "x": X})
    with pytest.raises(InputError, match=r"\('\[V\]' in data row 1\).*skip_lines=2"):
        roles({"a": ["[V]", "1", "2", "3"], "x": X})
