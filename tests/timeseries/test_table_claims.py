"""Tables that claim, or unpack into, more than their size makes likely."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.io import read_series
from seqdis.timeseries.table_lines import table_lines


@pytest.fixture(autouse=True)
def _little_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_LIMITS", "content=1000,columns=50")


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress), (".zst", zstd)],
)
def test_a_text_that_unpacks_into_a_thousand_times_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / f"x.csv{suffix}"
    path.write_bytes(pack(b"a,b\n" + b"0,0\n" * 100_000))
    with pytest.raises(InputError, match=r"4000\d\d bytes or more in a file of \d+ bytes; allowed: \d+"):
        read_series(path)
    monkeypatch.setenv("SEQDIS_LIMITS", "expansion=20000")
    assert len(read_series(path).frames) == 100_000


def test_columns_are_counted_before_they_are_read(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(60)]
    pd.DataFrame(np.zeros((3, 60)), columns=names).to_csv(tmp_path / "x.csv", index=False)
    pd.DataFrame(np.zeros((3, 60)), columns=names).to_parquet(tmp_path / "x.parquet")
    np.save(tmp_path / "x.npy", np.zeros((3, 60)))
    for suffix in ("csv", "parquet", "npy"):
        with pytest.raises(InputError, match=rf"x\.{suffix}: 60 columns; allowed: 50, or a larger "):
            read_series(tmp_path / f"x.{suffix}")


def test_a_field_without_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a" * 200_000 + "\n1\n")
    with pytest.raises(InputError, match="a field has more than 131072 characters"):
        read_series(tmp_path / "x.csv")


def test_a_parquet_file_that_repeats_a_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": pa.array(np.zeros(1_000_000))}), path)
    with pytest.raises(InputError, match=r"1000000 cells in a file of \d+ bytes"):
        read_series(path)


def test_a_parquet_file_that_repeats_a_long_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(900, np.int32)), pa.array(["x" * 5000]))
    pq.write_table(pa.table({"s": words}), path)
    with pytest.raises(InputError, match=r"4500000 bytes of text in 's' in a file of \d+ bytes"):
        read_series(path)


def test_two_rows_far_apart_are_no_billion_steps(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("time,a\n0,1\n1,2\n2,3\n4000000000,2\n")
    from seqdis.timeseries.io import open_series
    from seqdis.timeseries.options import SeriesOptions

    with pytest.raises(InputError, match=r"freq=1\.0 makes 4000000000 steps of 4 rows; allowed: up to 1000"):
        open_series(tmp_path / "x.csv", SeriesOptions(freq=1.0))


@pytest.mark.parametrize("block", [1, 7, 1 << 18])
@pytest.mark.parametrize(
    ("text", "skip"),
    [
        ("a\n1\n2", ()),
        ("# one\n# two\na\n1\n\n2\n# three\n\n", ()),
        ("sep=;\n# c\n\na;b\n1;2\n\t\n", ()),
        ("# c\nsep=;\nsep=,\n1\n", ()),
        ("units\na\n\n1\n2\n3\n", ("1", "4-5")),
        ("\n\n \n", ()),
        ("", ()),
        ("a\n\n", ("1-9",)),
    ],
)
def test_lines_are_those_that_are_found_one_by_one(
    monkeypatch: pytest.MonkeyPatch, text: str, skip: tuple[str, ...], block: int
) -> None:
    monkeypatch.setattr("seqdis.timeseries.table_lines._BLOCK", block)
    left_out = {n for part in skip for n in range(int(part[0]), int(part[-1]) + 1)}
    rows, numbers, comment, separator, empty, last = [], [], None, None, None, None
    for number, line in enumerate(text.split("\n"), start=1):
        if number in left_out:
            continue
        if not line.strip():
            last = number if rows and last is None else last
        elif not rows and separator is None and line.startswith("sep="):
            separator = line[-1]
        elif line.startswith("#"):
            comment = line if not rows else comment
        else:
            empty = last if empty is None else empty
            rows.append(line)
            numbers.append(number)
    found = table_lines(text, skip, "x")
    assert (list(found), list(found.numbers())) == (rows, numbers)
    assert (found.comment, found.separator, found.empty) == (comment, separator, empty)
