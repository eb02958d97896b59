"""What the registry gets: files by suffix, folders of tables, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.modality import Panel
from seqdis.core.registry import build_dataset, get_modality, get_preset
from seqdis.timeseries import TimeSeriesModality, write_series

DATA = DataConfig(dataset="folder", length=8, frame_shape=(2,))


def panel(title: str, steps: int = 20, channels: int = 2) -> Panel:
    return Panel(title, torch.randn(steps, channels, generator=torch.Generator().manual_seed(steps)))


def test_is_registered() -> None:
    modality = get_modality("timeseries")
    assert isinstance(modality, TimeSeriesModality)
    assert modality.demo() in modality.presets()


def test_a_mode_names_the_split() -> None:
    modality, data = TimeSeriesModality(), get_preset("diffsda-etth1").data
    published = modality.split_as(data, "published")
    assert published.options == data.options | {"protocol": "published"}
    assert modality.split_as(published, "corrected") == data


def test_outcomes_are_labels_of_two_classes() -> None:
    for spec in TimeSeriesModality().datasets().values():
        assert all(len(spec.labels[name].classes) == 2 for name in spec.outcomes)
    assert TimeSeriesModality().datasets()["physionet2012"].outcomes["death"].window == 4


def test_number_of_channels_must_fit(tmp_path: Path) -> None:
    write_series(tmp_path / "x.csv", torch.zeros(10, 3), columns=("a", "b", "c"))
    with pytest.raises(
        InputError, match=r"x.csv: 3 numeric columns; the model takes 2: choose them with columns=A,B"
    ):
        TimeSeriesModality().read(tmp_path / "x.csv", DATA)
    chosen = DATA.model_copy(update={"options": {"columns": ["c", "a"]}})
    assert TimeSeriesModality().read(tmp_path / "x.csv", chosen).frames.shape == (10, 2)


def test_unknown_kinds_list_the_known_ones(tmp_path: Path) -> None:
    modality = TimeSeriesModality()
    with pytest.raises(InputError, match=r"cannot read '.xlsx'; allowed: .csv, .csv.gz, .csv.xz, .parquet"):
        modality.read(tmp_path / "x.xlsx", DATA)
    with pytest.raises(InputError, match=r"cannot read '.xz'"):
        modality.read(tmp_path / "x.tar.xz", DATA)
    with pytest.raises(InputError, match=r"cannot write '.xlsx'; allowed: .csv, .parquet, .npy"):
        modality.write(tmp_path / "x.xlsx", torch.zeros(3, 2), DATA)
    with pytest.raises(InputError, match=r"cannot draw '.gif'; allowed: .png, .pdf"):
        modality.draw(tmp_path / "x.gif", [[panel("a")]], DATA)


def test_one_column_may_be_named_without_a_list(tmp_path: Path) -> None:
    write_series(tmp_path / "x.csv", torch.arange(20.0).reshape(10, 2), columns=("a", "b"))
    one = DATA.model_copy(update={"frame_shape": (1,), "options": {"columns": "b"}})
    assert TimeSeriesModality().read(tmp_path / "x.csv", one).frames.flatten().tolist() == list(
        range(1, 20, 2)
    )


def test_unknown_option() -> None:
    with pytest.raises(
        InputError, match=r"timeseries options: unknown key 'colums' \(did you mean 'columns'\?\)"
    ):
        TimeSeriesModality().options(DATA.model_copy(update={"options": {"colums": ["a"]}}))


def test_a_folder_where_only_some_files_have_gaps(tmp_path: Path) -> None:
    for i in range(4):
        values = np.random.default_rng(i).normal(size=(100, 2))
        if i == 1:
            values[::3, 0] = np.nan
        np.save(tmp_path / f"{i}.npy", values)
    for split in ("train", "val", "test"):
        dataset = build_dataset("timeseries", DATA, split, root=tmp_path)
        batch = dataset.fetch(range(len(dataset)))
        assert batch.x.shape[1:] == (8, 2)
        assert batch.observed is not None
        gaps = [not bool(seen.all()) for seen in batch.observed]
        assert gaps == [key.startswith("1.npy") for key in batch.keys]


@pytest.mark.parametrize("channels", [2, 30])
def test_picture(tmp_path: Path, channels: int) -> None:
    grid = [
        [panel("source", channels=channels), panel("swap", channels=channels)],
        [panel("short", 7, channels)],
    ]
    TimeSeriesModality().draw(tmp_path / "a.png", grid, DATA)
    picture = imread(tmp_path / "a.png")
    assert picture.shape[0] > 200
    assert picture.shape[1] > 400
    assert picture[..., :3].std() > 0.02  # something stands on the paper
    TimeSeriesModality().draw(tmp_path / "b.png", grid, DATA)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_pdf_does_not_tell_the_time(tmp_path: Path) -> None:
    TimeSeriesModality().draw(tmp_path / "a.pdf", [[panel("a")]], DATA)
    assert b"CreationDate" not in (tmp_path / "a.pdf").read_bytes()


def test_a_constant_channel_is_drawn(tmp_path: Path) -> None:
    TimeSeriesModality().draw(tmp_path / "a.png", [[Panel("flat", torch.ones(5, 2))]], DATA)
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_panels_of_different_channels(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"needs panels with equal channels; got \[2, 3\]"):
        TimeSeriesModality().draw(tmp_path / "a.png", [[panel("a"), panel("b", channels=3)]], DATA)
    with pytest.raises(InputError, match="got none"):
        TimeSeriesModality().draw(tmp_path / "a.png", [], DATA)


def test_series_need_no_preparation() -> None:
    with pytest.raises(InputError, match="timeseries: files of this kind need no preparation"):
        get_modality("timeseries").preparation({})
