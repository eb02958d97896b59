"""Tables as people have them, each with the values that it holds or the way out that its error names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.timeseries.io import open_series, read_series
from seqdis.timeseries.options import SeriesOptions

CASES = Path(__file__).parents[1] / "cases"
TIMES = CASES / "15-time-ignored"


def opened(path: Path, **options: object) -> tuple:
    return open_series(path, SeriesOptions.model_validate(options)).clips


def test_semicolons_and_decimal_commas() -> None:
    path = CASES / "02-semicolon-decimal-comma" / "x.csv"
    lines = path.read_text().splitlines()
    expected = [[float(field.replace(",", ".")) for field in line.split(";")] for line in lines[1:]]
    clip = read_series(path)
    assert clip.frames.shape == (300, 3)
    assert torch.equal(clip.frames, torch.tensor(expected))


def test_a_trailing_comma_shifts_no_column() -> None:
    with pytest.raises(
        InputError, match=r"line 1 has 3 fields and line 2 one more, which is empty; allowed: the same"
    ):
        read_series(CASES / "03-trailing-comma" / "x.csv")


def test_a_long_table_is_asked_for_its_identifiers_and_split_by_them() -> None:
    path = CASES / "14-long-table" / "x.csv"
    with pytest.raises(
        InputError, match=r"column 'id' holds whole numbers as an identifier does; allowed: id_column=id"
    ):
        opened(path)
    table = pd.read_csv(path)
    clips = opened(path, id_column="id")
    assert [clip.key for clip in clips] == [f"x.csv#{i}" for i in table["id"].unique()]
    for clip, (_, rows) in zip(clips, table.groupby("id"), strict=True):
        assert np.allclose(clip.frames.numpy(), rows[["a", "b", "c"]])
        assert (clip.stamps == pd.to_datetime(rows["timestamp"]).to_numpy()).all()


def test_times_that_occur_twice() -> None:
    path = TIMES / "16_dup_timestamps.csv"
    with pytest.raises(InputError, match=r"'timestamp' is .* in data row 12, as in data row 11; .*freq=1h"):
        opened(path)
    table = pd.read_csv(path, parse_dates=["timestamp"])
    (clip,) = opened(path, freq="1h")
    expected = table.groupby("timestamp").mean()
    assert np.allclose(clip.frames.numpy(), expected, atol=1e-5)
    assert (clip.stamps == expected.index.to_numpy()).all()


def test_times_that_go_back() -> None:
    path = TIMES / "17_unsorted.csv"
    with pytest.raises(
        InputError, match=r"in data row 2, before 2024-01-09 16:00:00 in data row 1; .*sort=true"
    ):
        opened(path)
    table = pd.read_csv(path, parse_dates=["timestamp"]).sort_values("timestamp")
    (clip,) = opened(path, sort=True)
    assert np.allclose(clip.frames.numpy(), table[["a", "b", "c"]], atol=1e-5)
    assert (clip.stamps == table["timestamp"].to_numpy()).all()


def test_times_at_unequal_steps() -> None:
    path = TIMES / "18_irregular.csv"
    with pytest.raises(
        InputError, match=r"from 2024-01-01 02:00:00 to 2024-01-01 03:00:00 in data row 3, .*freq=1h"
    ):
        opened(path)
    table = pd.read_csv(path, parse_dates=["timestamp"], index_col="timestamp")
    (clip,) = opened(path, freq="1h")
    hours = pd.date_range(table.index[0], table.index[-1], freq="h")
    assert (clip.stamps == hours.to_numpy()).all()
    assert clip.observed is not None
    assert (clip.observed[:, 0].numpy() == hours.isin(table.index)).all()
    assert np.allclose(clip.frames[clip.observed[:, 0]].numpy(), table, atol=1e-5)
    (as_steps,) = opened(path, irregular=True)
    assert len(as_steps.frames) == len(table)
    assert (as_steps.stamps == table.index.to_numpy()).all()


@pytest.mark.parametrize("name", ["20-damaged/11-36-t.npy", "21-claims-too-much/big.npy"])
def test_damaged_arrays_are_refused_in_one_line(name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read as .npy") as error:
        read_series(CASES / name)
    assert "\n" not in str(error.value)
