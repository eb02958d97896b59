"""What the registry gets: files by suffix, folders of tables, pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
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
    with pytest.raises(
        InputError, match=r"cannot read '.xlsx'; allowed: .csv, .csv.gz, .*.txt.zst, .parquet"
    ):
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


OPEN = DATA.model_copy(update={"frame_shape": ()})


def completed(path: Path, **options: object) -> DataConfig:
    return TimeSeriesModality().complete_from(OPEN.model_copy(update={"options": options}), path)


def test_what_a_preset_leaves_open_is_filled_in_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "date,load,temp\n2024-01-01 00:00,1.5,2\n2024-01-01 00:15,2.5,3\n2024-01-01 00:30,0.5,4\n"
    )
    data = completed(path)
    assert data.frame_shape == (2,)
    assert data.options == {
        "columns": ["load", "temp"], "other_columns": "refuse", "step": 15, "unit": "min"
    }  # fmt: skip
    assert completed(path, columns=["temp"]).options["columns"] == ["temp"]
    assert completed(path, columns=["temp"]).frame_shape == (1,)
    np.save(tmp_path / "x.npy", np.zeros((9, 4)))
    assert completed(tmp_path / "x.npy").frame_shape == (4,)
    assert completed(tmp_path / "x.npy").options == {}


def test_columns_in_another_order_are_read_by_their_names(tmp_path: Path) -> None:
    modality, first = TimeSeriesModality(), tmp_path / "1.csv"
    frames = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    write_series(first, frames, columns=("a", "b", "c"))
    write_series(tmp_path / "2.csv", frames[:, [2, 0, 1]], columns=("c", "a", "b"))
    data = completed(first)
    assert torch.equal(modality.read(tmp_path / "2.csv", data).frames, frames)
    modality.write(tmp_path / "out.csv", frames, data)
    assert (tmp_path / "out.csv").read_text() == first.read_text()
    write_series(tmp_path / "3.csv", frames, columns=("a", "b", "d"))
    with pytest.raises(InputError, match=r"3.csv: column 'c'; allowed: a, b, d"):
        modality.read(tmp_path / "3.csv", data)
    write_series(tmp_path / "4.csv", torch.randn(9, 4), columns=("a", "b", "c", "d"))
    with pytest.raises(InputError, match=r"4.csv: column 'd' is none of the channels a, b, c"):
        modality.read(tmp_path / "4.csv", data)


def test_what_a_model_writes_of_a_file_without_a_header_can_be_read(tmp_path: Path) -> None:
    path, frames = tmp_path / "x.txt", torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    np.savetxt(path, frames.numpy())
    data = completed(path)
    modality = TimeSeriesModality()
    modality.write(tmp_path / "out.csv", frames, data)
    assert torch.equal(modality.read(tmp_path / "out.csv", data).frames, frames)
    assert torch.equal(modality.read(path, data).frames, frames)


def test_a_long_table_opens_as_recordings_with_labels_and_stamps(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("who,kind,t,a\np,x,0,1.5\np,x,1,2.5\nq,y,0,3.5\n")
    named = {"id_column": "who", "time_column": "t", "label_columns": "kind"}
    modality, data = TimeSeriesModality(), completed(path, **named)
    recordings = modality.open(path, data)
    assert [one.key for one in recordings] == ["x.csv#p", "x.csv#q"]
    assert [one.labels for one in recordings] == [{"kind": "x"}, {"kind": "y"}]
    assert [one.dated for one in recordings] == [True, True]
    with pytest.raises(InputError, match=r"x.csv: holds 2 recordings; exactly one is needed"):
        modality.read(path, data)
    # What the model writes has neither identifier nor time.
    modality.write(tmp_path / "out.csv", recordings[0].frames, data)
    assert torch.equal(modality.read(tmp_path / "out.csv", data).frames, recordings[0].frames)
    with pytest.raises(InputError, match=r"unknown .*label column 'kin' \(did you mean 'kind'\?\)"):
        completed(path, **{**named, "label_columns": "kin"})


def test_windows_never_cross_recordings_of_one_table(tmp_path: Path) -> None:
    values = np.repeat(np.arange(40.0), 12) + np.tile(np.arange(12) / 100, 40)
    pd.DataFrame({"who": np.repeat([f"p{i}" for i in range(40)], 12), "a": values}).to_csv(
        tmp_path / "x.csv", index=False
    )
    data = completed(tmp_path / "x.csv", id_column="who").model_copy(update={"length": 5})
    for split in ("train", "val", "test"):
        dataset = build_dataset("timeseries", data, split, root=tmp_path)
        x = dataset.fetch(range(len(dataset))).x[..., 0]
        assert (x.floor() == x.floor()[:, :1]).all()


def test_recordings_of_one_patient_stay_in_one_split(tmp_path: Path) -> None:
    visits = np.repeat(np.arange(60), 12)
    table = pd.DataFrame(
        {"visit": visits, "patient": visits // 4, "a": np.random.default_rng(0).normal(size=720)}
    )
    table.to_csv(tmp_path / "x.csv", index=False)
    data = completed(tmp_path / "x.csv", id_column="visit", label_columns="patient")
    data = data.model_copy(update={"group": "patient"})
    seen = [set(build_dataset("timeseries", data, s, root=tmp_path).all_labels()["patient"].tolist()) for s in (
        "train", "val", "test")]  # fmt: skip
    assert sorted(patient for split in seen for patient in split) == list(range(15))


def test_labels_of_steps_follow_their_windows(tmp_path: Path) -> None:
    act = np.random.default_rng(0).choice(["sit", "walk"], 300)
    table = pd.DataFrame({"act": act, "a": (act == "walk") + 0.25})
    table.to_csv(tmp_path / "x.csv", index=False)
    data = completed(tmp_path / "x.csv", step_label_columns="act")
    batch = build_dataset("timeseries", data, "train", root=tmp_path).fetch(range(8))
    assert torch.equal(batch.step_labels["act"], (batch.x[..., 0] > 1).long())


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
