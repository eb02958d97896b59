"""ETTh1: which hours go where, on a small table of the same form and on the file itself."""

from __future__ import annotations

import hashlib
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset
from seqdis.timeseries.datasets import DATASETS
from seqdis.timeseries.datasets.ett import LOADS, oil_temperature

DATA = get_preset("diffsda-etth1").data
HOURS = 17_420
FIRST = pd.Timestamp("2016-07-01")


def with_options(**options: object) -> DataConfig:
    return DATA.model_copy(update={"options": DATA.options | options})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of ETTh1's form: channel c holds 10^5·c + the hour's number, OT a slow wave."""
    hour = np.arange(HOURS)
    table = pd.DataFrame(
        {"date": pd.date_range(FIRST, periods=HOURS, freq="h").strftime("%Y-%m-%d %H:%M:%S")}
    )
    for c, name in enumerate(LOADS):
        table[name] = 100_000 * c + hour
    table["OT"] = 20 + 10 * np.cos(2 * np.pi * hour / 8766)
    root = tmp_path_factory.mktemp("ett")
    table.to_csv(root / "ETTh1.csv", index=False)
    return root


def hours_of(split: str, root: Path, data: DataConfig = DATA) -> torch.Tensor:
    dataset = build_dataset("timeseries", data, split, root=root)
    x = dataset.fetch(range(len(dataset))).x
    assert torch.equal(x, x[:, :, :1] + torch.arange(6) * 100_000)
    return x[..., 0].long()


def test_corrected_split_keeps_time_order(folder: Path) -> None:
    hours = {split: hours_of(split, folder) for split in ("train", "val", "test")}
    month = 30 * 24
    spans = {"train": (0, 12 * month), "val": (12 * month, 16 * month), "test": (16 * month, 20 * month)}
    for split, x in hours.items():
        first, last = spans[split]
        assert int(x.min()) == first
        assert int(x.max()) <= last - 1
        assert torch.equal(x, x[:, :1] + torch.arange(672))  # hours in a row
        assert torch.equal(x[:, 0].diff(), torch.full((len(x) - 1,), 24))  # a day apart
        assert len(x) == (last - first - 672) // 24 + 1


def test_stride_and_length(folder: Path) -> None:
    data = with_options(stride=168).model_copy(update={"length": 168})
    starts = hours_of("val", folder, data)[:, 0]
    assert torch.equal(starts, 12 * 720 + 168 * torch.arange(len(starts)))
    with pytest.raises(InputError, match="val split holds no window of 4000 h"):
        hours_of("val", folder, DATA.model_copy(update={"length": 4000}))


def test_published_split(folder: Path) -> None:
    hours = {
        split: hours_of(split, folder, with_options(protocol="published"))
        for split in ("train", "val", "test")
    }
    assert [len(x) for x in hours.values()] == [14, 3, 6]
    starts = torch.cat([x[:, 0] for x in hours.values()]).tolist()
    dates = [FIRST + pd.Timedelta(hours=h) for h in starts]
    assert len(set(dates)) == 23
    assert all(date.day == 1 and date.hour == 0 for date in dates)
    assert {date.year for date in dates[-6:]} == {2016}
    assert {date.year for date in dates[:-6]} == {2017, 2018}


def test_labels_follow_their_windows(folder: Path) -> None:
    dataset = build_dataset("timeseries", DATA, "train", root=folder)
    batch = dataset.fetch(range(len(dataset)))
    oil = oil_temperature(DATA, "train", folder, 0)
    assert oil.shape == (len(dataset), 28)
    trends = []
    for i in range(len(dataset)):
        start = FIRST + pd.Timedelta(hours=int(batch.x[i, 0, 0]))
        middle = start + pd.Timedelta(hours=336)
        season = {12: 0, 1: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 2, 7: 2, 8: 2}.get(middle.month, 3)
        assert int(batch.labels["season"][i]) == season
        assert int(batch.labels["weekday"][i]) == start.day_of_week
        assert batch.keys[i] == f"ETTh1@{start:%Y-%m-%dT%H}"
        hours = np.arange(672) + int(batch.x[i, 0, 0])
        curve = 20 + 10 * np.cos(2 * np.pi * hours / 8766)
        np.testing.assert_allclose(oil[i], curve.reshape(28, 24).mean(1), rtol=1e-5)
        trends.append(curve[336:].mean() - curve[:336].mean())
    # By training terciles: each class holds a third, and a larger trend never has a lower class.
    classes = batch.labels["oil_trend"][np.argsort(trends)]
    assert bool((classes.diff() >= 0).all())
    assert torch.bincount(classes).tolist() == [111, 111, 111]


def test_a_table_of_another_form(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no ETTh1.csv \(nor ETTh1.csv.xz, ETTh1.csv.gz\)"):
        build_dataset("timeseries", DATA, "train", root=tmp_path)
    (tmp_path / "ETTh1.csv").write_text("date,HUFL\n2016-07-01,1\n")
    with pytest.raises(InputError, match="lacks columns HULL, MUFL, MULL, LUFL, LULL, OT; it has date, HUFL"):
        build_dataset("timeseries", DATA, "train", root=tmp_path)


def test_the_file_itself(dataset_folder: Callable[[str], Path]) -> None:
    root = dataset_folder("ett")
    text = lzma.decompress((root / "ETTh1.csv.xz").read_bytes())
    known = "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"
    assert hashlib.sha256(text).hexdigest() == known
    dataset = build_dataset("timeseries", DATA, "test", root=root)
    assert (len(dataset), dataset.shape) == (93, (672, 6))
    line = text.decode().splitlines()[1 + 16 * 720].split(",")
    torch.testing.assert_close(dataset.fetch([0]).x[0, 0], torch.tensor([float(v) for v in line[1:7]]))
    assert line[0].startswith(dataset.fetch([0]).keys[0].removeprefix("ETTh1@").split("T")[0])


def test_the_oil_temperature_is_offered_as_a_quantity(folder: Path) -> None:
    quantity = DATASETS["ett"].quantities["oil_temperature"]
    assert (quantity.unit, quantity.window) == ("°C", 24)
    for split in ("train", "test"):
        hours = hours_of(split, folder)
        expected = (20 + 10 * torch.cos(2 * torch.pi * hours.double() / 8766)).unflatten(1, (28, 24)).mean(2)
        found = quantity.values(DATA, split, folder, 0)
        torch.testing.assert_close(found.double(), expected, atol=1e-4, rtol=1e-5)
