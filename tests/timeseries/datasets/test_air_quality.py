"""Beijing's stations: months cut out whole, gaps seen, splits by time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset
from seqdis.timeseries.datasets.air_quality import FEATURES, STATIONS

DATA = get_preset("diffsda-airq").data.model_copy(update={"length": 24})
PUBLISHED = DATA.model_copy(update={"options": DATA.options | {"protocol": "published"}})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset's form, but the first two days of each month only; PM2.5 is the day's number, PM10 the station's."""
    root = tmp_path_factory.mktemp("air")
    hours = pd.date_range("2013-03-01", "2017-02-28 23:00", freq="h")
    hours = hours[hours.day <= 2]
    for s, station in enumerate(STATIONS):
        table = pd.DataFrame({"No": np.arange(len(hours)), "year": hours.year, "month": hours.month})
        table["day"], table["hour"] = hours.day, hours.hour
        for name in FEATURES:
            table[name] = 1.5
        table["PM2.5"] = (hours.year - 2013) * 12.0 + hours.month
        table["PM10"] = float(s)
        table.loc[hours.hour == 5, "CO"] = np.nan
        table["wd"], table["station"] = "NNW", station
        table.to_csv(root / f"PRSA_Data_{station}_20130301-20170228.csv", index=False, na_rep="NA")
    return root


def stack_generators(split: str, root: Path, data: DataConfig) -> set[tuple[int, int]]:
    """``(month since 2013, station)`` of every sequence, as its values tell."""
    dataset = build_dataset("timeseries", data, split, root=root)
    batch = dataset.fetch(range(len(dataset)))
    month, station = batch.x[:, :, 0], batch.x[:, :, 1]
    assert torch.equal(month, month[:, :1].expand_as(month))  # never across two months
    assert torch.equal(batch.labels["month"], (month[:, 0].long() - 1) % 12)
    assert torch.equal(batch.labels["station"], station[:, 0].long())
    return set(zip(month[:, 0].long().tolist(), station[:, 0].long().tolist(), strict=True))


@pytest.mark.parametrize("data", [DATA, PUBLISHED], ids=["corrected", "published"])
def test_splits(folder: Path, data: DataConfig) -> None:
    parts = {split: stack_generators(split, folder, data) for split in ("train", "val", "test")}
    months = {month for month, _ in parts["test"]}
    assert months == {36 + m for m in range(1, 13)}  # 2016
    assert len(parts["test"]) == 12 * 12
    assert not parts["train"] & parts["val"]
    assert len(parts["train"] | parts["val"]) == 36 * 12
    assert len(parts["val"]) / (36 * 12) == pytest.approx(0.15, abs=0.02)
    shared = {month for month, _ in parts["train"]} & {month for month, _ in parts["val"]}
    # One clock at all stations: only whole months apart keep the same weather out of both sides.
    assert bool(shared) == (data is PUBLISHED)


def test_gaps(folder: Path) -> None:
    batch = build_dataset("timeseries", DATA, "test", root=folder).fetch(range(10))
    assert batch.observed is not None
    expected = torch.ones(10, 24, 10, dtype=torch.bool)
    expected[:, 5, FEATURES.index("CO")] = False
    assert torch.equal(batch.observed, expected)
    assert bool(batch.x.isfinite().all())


def test_a_station_is_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no PRSA_Data_Aotizhongxin_"):
        build_dataset("timeseries", DATA, "train", root=tmp_path)


def test_the_files_themselves(dataset_folder: Callable[[str], Path]) -> None:
    data = get_preset("diffsda-airq").data
    dataset = build_dataset("timeseries", data, "test", root=dataset_folder("beijing_air"))
    assert (len(dataset), dataset.shape) == (144, (672, 10))
    batch = dataset.fetch(range(len(dataset)))
    assert batch.observed is not None
    assert 0.97 < float(batch.observed.float().mean()) < 1
    assert batch.keys[0] == "Aotizhongxin@2016-01"
