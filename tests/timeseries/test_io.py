"""Tables in and out: values, gaps, what is refused and in which words."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.timeseries.io import read_series, write_series

NUMBERS = torch.tensor([[1.0, -2.5], [3.25, 4.0], [0.5, 1e-3]])


@pytest.fixture
def csv(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "series.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npy"])
def test_write_then_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    frames = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    write_series(path, frames, columns=("a", "b", "c"))
    clip = read_series(path)
    assert torch.equal(clip.frames, frames)
    assert clip.observed is None
    assert clip.key == path.name
    if suffix != ".npy":
        assert torch.equal(read_series(path, columns=("c", "a")).frames, frames[:, [2, 0]])


def test_equal_input_gives_equal_files(tmp_path: Path) -> None:
    for suffix in (".csv", ".parquet", ".npy"):
        write_series(tmp_path / f"1{suffix}", NUMBERS)
        write_series(tmp_path / f"2{suffix}", NUMBERS)
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,-2.5\n3.25,4\n.5,1e-3\n",
        "1,-2.5\n3.25,4\n.5,1e-3\n",  # without a header
        "date,a,b\n2020-01-01 00:00,1,-2.5\n2020-01-01 01:00,3.25,4\n2020-01-01 02:00,.5,1e-3\n",
        "2020-01-01,1,-2.5\n2020-01-02,3.25,4\n2020-01-03,.5,1e-3\n",
        "hour, a, b\n00:07, 1, -2.5\n01:07, 3.25, 4\n02:07, .5, 1e-3\n",
        ",a,b\n0,1,-2.5\n1,3.25,4\n2,.5,1e-3\n",  # the row number that DataFrame.to_csv leaves
    ],
    ids=["header", "headless", "date", "headless-date", "time", "row-number"],
)
def test_forms_of_csv(csv: Callable[[str], Path], text: str) -> None:
    assert torch.equal(read_series(csv(text)).frames, NUMBERS)


def test_compressed_csv(tmp_path: Path) -> None:
    text = b"a,b\n1,-2.5\n3.25,4\n.5,1e-3\n"
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "s.csv.xz").write_bytes(lzma.compress(text))
    for name in ("s.csv.gz", "s.csv.xz"):
        assert torch.equal(read_series(tmp_path / name).frames, NUMBERS)


def test_a_named_time_column_gives_the_stamps(csv: Callable[[str], Path]) -> None:
    path = csv("a,seconds\n1,0.0\n2,0.5\n")
    clip = read_series(path, time_column="seconds")
    assert clip.frames.tolist() == [[1.0], [2.0]]
    assert clip.stamps is not None
    assert clip.stamps.tolist() == [0.0, 0.5]
    assert read_series(path, columns=("a", "seconds")).frames.shape == (2, 2)
    with pytest.raises(
        InputError, match="'seconds' holds numbers as a time does; allowed: time_column=seconds"
    ):
        read_series(path)


def test_missing_cells_hold_the_mean_and_are_not_observed(csv: Callable[[str], Path]) -> None:
    clip = read_series(csv("a,b,c\n1,,\n,NA,\n4,6,\n"))
    assert clip.observed is not None
    assert clip.observed.tolist() == [[True, False, False], [False, False, False], [True, True, False]]
    assert clip.frames.tolist() == [[1.0, 6.0, 0.0], [2.5, 6.0, 0.0], [4.0, 6.0, 0.0]]


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.arange(4))
    assert read_series(tmp_path / "one.npy").frames.tolist() == [[0.0], [1.0], [2.0], [3.0]]
    np.savez(tmp_path / "single.npz", anything=NUMBERS.numpy())
    assert torch.equal(read_series(tmp_path / "single.npz").frames, NUMBERS)
    observed = np.array([[True, False], [True, True], [False, True]])
    np.savez(tmp_path / "pair.npz", x=NUMBERS.numpy(), observed=observed)
    clip = read_series(tmp_path / "pair.npz")
    assert clip.observed is not None
    assert clip.observed.numpy().tolist() == observed.tolist()
    np.save(tmp_path / "gap.npy", np.array([[1.0], [np.nan], [3.0]]))
    gap = read_series(tmp_path / "gap.npy")
    assert gap.frames.tolist() == [[1.0], [2.0], [3.0]]
    assert gap.observed is not None
    assert gap.observed.tolist() == [[True], [False], [True]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "date,a,wind\n2020-01-01,1,NNW\n2020-01-02,2,E\n",
            r"column 'wind' holds text \('NNW' in data row 1\)",
        ),
        ("a,b\n1,2\n3,four\n", r"column 'b' holds text \('four' in data row 2\); allowed: numeric columns"),
        ("a,b\n1,inf\n", r"column 'b' is inf in data row 1; allowed: finite numbers"),
        ("a,b\n1,2\n1e300,2\n", r"column 'a' is 1e\+300 in data row 2; allowed: finite numbers"),
        ("", "is empty; a table with at least one row"),
        ("a,b\n", "holds no rows of numbers"),
        ("date\n2020-01-01\n", "holds no rows of numbers"),
        ("a,b\n1,2\n1,2,3\n", "line 1 has 2 fields and line 3 has 3"),
    ],
)
def test_bad_tables(csv: Callable[[str], Path], text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_series(csv(text))
    assert "series.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_text_is_no_matter_in_a_column_that_is_not_taken(csv: Callable[[str], Path]) -> None:
    path = csv("a,wind,b\n1,NNW,2\n3,E,4\n")
    assert read_series(path, columns=("a", "b")).frames.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    with pytest.raises(
        InputError, match=r"unknown .*column 'wnd' \(did you mean 'wind'\?\); allowed: a, b, wind"
    ):
        read_series(path, columns=("a", "wnd"))
    with pytest.raises(InputError, match=r"unknown .*time column 'date'"):
        read_series(path, time_column="date")


def test_damaged_files(tmp_path: Path) -> None:
    whole = lzma.compress(b"a,b\n" + b"1,2\n" * 50_000)
    (tmp_path / "cut.csv.xz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 50_000)[:60])
    (tmp_path / "no.npy").write_bytes(b"not an array")
    (tmp_path / "no.npz").write_bytes(b"PK\x03\x04 cut")
    (tmp_path / "no.parquet").write_bytes(b"PAR1")
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    np.savez(tmp_path / "two.npz", a=np.zeros(2), b=np.zeros(2))
    np.savez(tmp_path / "mask.npz", x=np.zeros((2, 1)), observed=np.zeros((3, 1), dtype=bool))
    messages = {
        "cut.csv.xz": "cannot be read as a table",
        "cut.csv.gz": "cannot be read as a table",
        "no.npy": "cannot be read as .npy",
        "no.npz": "cannot be read as .npz",
        "no.parquet": "cannot be read as a table",
        "text.npy": r"an array \(2, 1\) of <U1; allowed: numbers, \(T, F\) or \(T,\)",
        "objects.npy": "cannot be read as .npy",
        "cube.npy": r"an array \(2, 2, 2\) of float64; allowed: numbers",
        "two.npz": r"holds arrays \['a', 'b'\]; allowed: one, or 'x' and 'observed'",
        "mask.npz": r"'observed' is \(3, 1\) of bool; allowed: bool \(2, 1\)",
        "absent.csv": "cannot be read as a table",
    }
    for name, message in messages.items():
        with pytest.raises(InputError, match=message) as error:
            read_series(tmp_path / name)
        assert "\n" not in str(error.value), name


def test_column_names_must_fit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2 channels, but 1 column names \(a\)"):
        write_series(tmp_path / "out.csv", NUMBERS, columns=("a",))
    assert list(tmp_path.iterdir()) == []
    np.save(tmp_path / "x.npy", NUMBERS.numpy())
    with pytest.raises(InputError, match="an array of 2 columns; columns= names 1"):
        read_series(tmp_path / "x.npy", columns=("a",))


def test_column_names_are_written(tmp_path: Path) -> None:
    write_series(tmp_path / "named.csv", NUMBERS, columns=("load", "temp"))
    write_series(tmp_path / "plain.csv", NUMBERS)
    assert list(pd.read_csv(tmp_path / "named.csv")) == ["load", "temp"]
    assert list(pd.read_csv(tmp_path / "plain.csv")) == ["channel_0", "channel_1"]
