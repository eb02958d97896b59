"""Tables in parquet files, whose types say what a text file leaves to be recognised."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.timeseries.io import open_series, read_series
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.table_files import read_frame

X = np.random.default_rng(0).normal(size=(24, 2)).astype(np.float32)
HOURS = pd.date_range("2024-03-30", periods=24, freq="h")


def written(path: Path, table: pd.DataFrame) -> Path:
    table.to_parquet(path)
    return path


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(X, columns=["a", "b"]).assign(**columns)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("as_index", [False, True])
def test_dates_are_stamps_in_utc(tmp_path: Path, zone: str | None, as_index: bool) -> None:
    hours = HOURS if zone is None else HOURS.tz_localize("UTC").tz_convert(zone)
    frame = table(when=hours)
    clip = read_series(written(tmp_path / "x.parquet", frame.set_index("when") if as_index else frame))
    assert np.array_equal(clip.frames.numpy(), X)
    assert (clip.stamps == HOURS.to_numpy()).all()


def test_levels_of_an_index_are_identifier_and_time(tmp_path: Path) -> None:
    frame = table(who=np.repeat(["p", "q"], 12), when=np.tile(HOURS[:12], 2)).set_index(["who", "when"])
    path = written(tmp_path / "x.parquet", frame)
    clips = open_series(path, SeriesOptions(id_column="who")).clips
    assert [clip.key for clip in clips] == ["x.parquet#p", "x.parquet#q"]
    assert np.array_equal(torch.cat([clip.frames for clip in clips]).numpy(), X)
    assert all((clip.stamps == HOURS[:12].to_numpy()).all() for clip in clips)
    with pytest.raises(InputError, match=r"column 'who' holds text .*id_column=who"):
        read_series(path)


def test_numbers_of_an_index_without_a_name_count_rows(tmp_path: Path) -> None:
    clip = read_series(written(tmp_path / "x.parquet", table().set_index(pd.Index(range(5, 53, 2)))))
    assert np.array_equal(clip.frames.numpy(), X)
    assert clip.stamps is None


def test_types_that_are_numbers(tmp_path: Path) -> None:
    gaps = pd.array([None, *range(23)], dtype="Int64")
    frame = table(c=gaps, d=[Decimal("0.5")] * 24, e=pd.array([True, None] * 12, dtype="boolean"))
    path = written(tmp_path / "x.parquet", frame)
    clip = read_series(path, columns=["a", "c", "d", "e"])
    assert clip.observed is not None
    assert clip.observed.sum(0).tolist() == [24, 23, 24, 12]
    assert clip.frames[1].tolist() == [X[1, 0], 0.0, 0.5, 1.0]
    with pytest.raises(InputError, match=r"column 'e' holds true and false"):
        read_series(path)


def test_durations_are_seconds(tmp_path: Path) -> None:
    clip = read_series(
        written(tmp_path / "x.parquet", table(t=pd.to_timedelta(np.arange(24) * 0.5, unit="s")))
    )
    assert clip.stamps is not None
    assert clip.stamps.tolist() == (np.arange(24) * 0.5).tolist()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([[1.0, 2.0]] * 24, "column 'c' holds text"),
        (pd.Categorical(["x", "y"] * 12), r"column 'c' holds text \('x' in data row 1\)"),
    ],
)
def test_types_that_are_none(tmp_path: Path, column: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_series(written(tmp_path / "x.parquet", table(c=column)))


def test_identifiers_and_classes_of_a_text_file_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("who,land,a\n007,NA,1.5\n007,NA,2.5\n7,None,3.5\n")
    clips = open_series(path, SeriesOptions(id_column="who", label_columns=("land",))).clips
    assert [clip.key for clip in clips] == ["x.csv#007", "x.csv#7"]
    assert [clip.labels for clip in clips] == [{"land": "NA"}, {"land": "None"}]
    assert read_frame(path)["who"].tolist() == [7, 7, 7]
