"""Text files as tables: whatever way numbers are written, the same numbers are read."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.table_files import read_frame

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pyarrow.compress(content, codec="zstd", asbytes=True),
}
VALUES = np.random.default_rng(0).normal(scale=100, size=(50, 3)).round(4)


def written(values: np.ndarray, separator: str, decimal: str, *, names: bool, quote: bool = False) -> str:
    lines = [["load", "temp", "wind"]] if names else []
    lines += [[f"{value:.4f}".replace(".", decimal) for value in row] for row in values]
    if quote:
        lines = [[f'"{field}"' for field in line] for line in lines]
    return "\n".join(separator.join(line) for line in lines) + "\n"


def read(path: Path, text: str | bytes, **options: object) -> np.ndarray:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_frame(path, SeriesOptions.model_validate(options)).to_numpy(np.float64)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   ", ", ", " ; "])
@pytest.mark.parametrize("decimal", [".", ","])
def test_separator_decimal_mark_and_header_are_recognised(
    tmp_path: Path, suffix: str, separator: str, decimal: str
) -> None:
    for names, quote in itertools.product((True, False), (True, False)):
        if decimal == "," in separator and not quote:
            continue
        text = written(VALUES, separator, decimal, names=names, quote=quote)
        assert np.array_equal(read(tmp_path / f"x{suffix}", text), VALUES), (names, quote)


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "ascii"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_compressions_byte_order_marks_and_ends_of_lines(
    tmp_path: Path, packed: str, encoding: str, end: str
) -> None:
    text = written(VALUES, ";", ",", names=True).replace("\n", end)
    assert np.array_equal(read(tmp_path / f"x.csv{packed}", PACK[packed](text.encode(encoding))), VALUES)


def test_other_encodings_are_named_by_the_user(tmp_path: Path) -> None:
    content = "Höhe,°C\n1,2\n3,4\n".encode("latin-1")
    path = tmp_path / "x.csv"
    with pytest.raises(
        InputError, match=r"not in utf-8 \(byte 0xf6 in line 1\); allowed: another encoding, such as"
    ):
        read(path, content)
    assert list(read_frame(path, SeriesOptions(encoding="latin-1"))) == ["Höhe", "°C"]
    with pytest.raises(InputError, match="unknown encoding=klingon"):
        read(path, content, encoding="klingon")
    with pytest.raises(InputError, match="holds NUL characters"):
        read(path, "a,b\n1,2\n".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1.234,5;2\n-12.345.678,25;0\n", [[1234.5, 2], [-12345678.25, 0]]),
        ('a,b\n"1,234.5",2\n"-12,345,678",0\n', [[1234.5, 2], [-12345678, 0]]),
        ("a;b\n1 234,5;2\n1\u202f234\u00a0567;0\n", [[1234.5, 2], [1234567, 0]]),
        ("a;b\n1'234.5;2.5\n12'000;0\n", [[1234.5, 2.5], [12000, 0]]),
        ("a;b\n1,5e3;2\n-2,5E-1;0\n", [[1500, 2], [-0.25, 0]]),
        ("sep=;\na;b\n1,5;2\n3,5;4\n", [[1.5, 2], [3.5, 4]]),
        ("a,b\n+1,+.5\n-1,-.5\n", [[1, 0.5], [-1, -0.5]]),
        ("a;b;\n1,5;2;\n3,5;4;\n;;\n;;\n", [[1.5, 2], [3.5, 4]]),  # what a spreadsheet leaves
        ("# made by a logger\n\n# volt ampere\n1.5 2\n3.5 4\n# the end\n", [[1.5, 2], [3.5, 4]]),
        ('a,"b, c"\n1.5,2\n3.5,4\n', [[1.5, 2], [3.5, 4]]),
        ("a\tb c\n1.5\t2\n3.5\t4\n", [[1.5, 2], [3.5, 4]]),
        (",0,1\n0,1.5,2\n1,3.5,4\n", [[0, 1.5, 2], [1, 3.5, 4]]),  # pandas' own names and row numbers
        ("value\n1.5\n2.5\n", [[1.5], [2.5]]),
        ("a,b\n\u22121.5,2\n3,4\n", [[-1.5, 2], [3, 4]]),  # a typesetter's minus
        ("a,b\n1.5,2\n\n3.5,4\n", [[1.5, 2], [3.5, 4]]),
        ("a,b\nNA,2\nn/a,#N/A\n1,null\n", [[np.nan, 2], [np.nan, np.nan], [1, np.nan]]),
    ],
)
def test_one_reading_alone_is_possible(tmp_path: Path, text: str, expected: list) -> None:
    assert np.array_equal(read(tmp_path / "x.csv", text), np.array(expected, float), equal_nan=True)


@pytest.mark.parametrize(
    ("text", "message", "ways"),
    [
        ("a;b\n1,234;2\n", "'1,234' in data row 1: thousands, or a decimal mark", {"decimal=,": 1.234, "decimal=.": 1234}),
        ("a;b\n1.234;2\n", "'1.234' in data row 1: thousands, or a decimal mark", {"decimal=,": 1234, "decimal=.": 1.234}),
        ("a;b\n1.234;2,5\n", "'1.234' in data row 1: thousands", {"decimal=,": 1234}),
        ("0,1\n5,6\n", "line 1 is 0, 1; allowed: header=true", {"header=true": 5, "header=false": 0}),
        ("a\n1,5\n2,5\n", "line 1 has 1 field and line 2 has 2, separated by comma", {"decimal=,": 1.5}),
        ("x of 3\nmade\na,b\n1,2\n", "line 1 has 1 field and line 3 has 2", {"skip_lines=1-2": 1}),
        ("a\n1.5\n\n2.5\n\n", "line 3 of one column is empty; allowed: NA", {"skip_lines=3": 1.5}),
        ("a,b\n1,2\n3\n5,6\n", "line 1 has 2 fields and line 3 has 1", {"skip_lines=3": 1}),
    ],
)  # fmt: skip
def test_of_two_readings_an_option_chooses(
    tmp_path: Path, text: str, message: str, ways: dict[str, float]
) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(InputError, match=message):
        read(path, text)
    for way, first in ways.items():
        key, _, value = way.partition("=")
        parsed: object = {"true": True, "false": False}.get(value, value)
        assert read(path, text, **{key: parsed})[0, 0] == first, way


def test_two_decimal_marks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"comma in column 'b' \('2,5' in data row 2\) and a decimal point in column 'a'"
    ):
        read(tmp_path / "x.csv", "a;b\n1.5;2\n1.25;2,5\n")


def test_a_decimal_comma_in_a_text_file_of_one_column(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with pytest.raises(
        InputError, match=r"line 1 is '1,5'; allowed: sep=comma \(two columns\), or decimal=,"
    ):
        read(path, "1,5\n2,5\n")
    assert read(path, "1,5\n2,5\n", decimal=",").tolist() == [[1.5], [2.5]]
    assert read(path, "1,5\n2,5\n", sep="comma").tolist() == [[1, 5], [2, 5]]


def test_a_row_of_another_length_is_found_far_down(tmp_path: Path) -> None:
    rows = ["a,b", *["1,2"] * 5000, "1,2,3", "1,2"]
    with pytest.raises(InputError, match="line 1 has 2 fields and line 5002 has 3") as error:
        read(tmp_path / "x.csv", "\n".join(rows))
    assert "\n" not in str(error.value)


def test_names_of_a_file_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    read(path, "1.5 2\n3.5 4\n")
    assert list(read_frame(path)) == ["column_1", "column_2"]
    read(path, "# volt ampere\n1.5 2\n3.5 4\n")
    assert list(read_frame(path)) == ["volt", "ampere"]


def test_truth_values_whole_numbers_and_texts_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("n,on,who\n9007199254740993,true,a\n2,FALSE,\n")
    table = read_frame(path)
    assert table["n"].tolist() == [9007199254740993, 2]
    assert table["on"].tolist() == [True, False]
    assert table["who"].isna().tolist() == [False, True]


def test_bad_options_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    with pytest.raises(InputError, match="sep=--; allowed: one character, or tab, space, comma, semicolon"):
        read(path, "a--b\n1--2\n", sep="--")
    with pytest.raises(InputError, match="skip_lines=first; allowed: numbers of lines"):
        read(path, "a,b\n1,2\n", skip_lines="first")


@pytest.mark.parametrize("packed", [".gz", ".bz2", ".xz", ".zst"])
def test_a_compressed_file_that_is_cut_is_damaged(tmp_path: Path, packed: str) -> None:
    whole = PACK[packed](written(VALUES, ",", ".", names=True).encode())
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(InputError, match="cannot be read as a table") as error:
            read(tmp_path / f"x.csv{packed}", whole[: int(share * len(whole))])
        assert "\n" not in str(error.value)
