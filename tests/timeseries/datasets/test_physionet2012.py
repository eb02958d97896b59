"""Intensive care: hourly means, gaps, padding, who is dropped, who is tested on."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset
from seqdis.timeseries.datasets.physionet2012 import VITALS

DATA = get_preset("diffsda-physionet").data
GCS, HCT, TEMP = VITALS.index("GCS"), VITALS.index("HCT"), VITALS.index("Temp")
COUNT = 20


def record(number: int, hours: int, every: int = 1, icu: int = 3) -> str:
    """A stay: all vitals at 10 past each ``every``-th hour; GCS twice an hour, 4 and 8; a Temp of 5 at hour 2."""
    lines = ["Time,Parameter,Value"]
    lines += [
        f"00:00,{name},{value}" for name, value in (("RecordID", number), ("Age", 54), ("ICUType", icu))
    ]
    for hour in range(0, hours, every):
        for name in VITALS:
            value = {"GCS": 4, "Temp": 5 if hour == 2 else 37}.get(name, 60 + number % 7)
            lines.append(f"{hour:02d}:10,{name},{value}")
        lines += [f"{hour:02d}:40,GCS,8", f"{hour:02d}:50,HR,80"]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("icu")
    (root / "set-a").mkdir()
    records = {200 + i: record(200 + i, 48 if i % 2 else 45, icu=1 + i % 4) for i in range(COUNT)}
    records[100] = record(100, 39)  # too short
    records[101] = record(101, 48, every=3)  # two hours of three are missing
    for number, text in records.items():
        (root / "set-a" / f"{number}.txt").write_text(text)
    rows = "".join(f"{number},6,1,5,-1,{int(number % 3 == 0)}\n" for number in records)
    head = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death\n"
    (root / "Outcomes-a.txt").write_text(head + rows)
    return root


def test_split_by_record(folder: Path) -> None:
    keys = {}
    for split in ("train", "val", "test"):
        dataset = build_dataset("timeseries", DATA, split, root=folder)
        batch = dataset.fetch(range(len(dataset)))
        keys[split] = [int(key) for key in batch.keys]
        assert batch.labels["death"].tolist() == [int(key % 3 == 0) for key in keys[split]]
        assert batch.labels["icu"].tolist() == [(key - 200) % 4 for key in keys[split]]
    assert keys["test"] == [200, 201, 202, 203]  # the first 20%; 100 and 101 were dropped
    assert sorted(keys["train"] + keys["val"]) == list(range(204, 200 + COUNT))
    assert len(keys["train"]) == round(0.8 * 16)


def test_values_masks_and_padding(folder: Path) -> None:
    batch = build_dataset("timeseries", DATA, "test", root=folder).fetch(range(4))
    assert batch.x.shape == (4, 80, 10)
    assert batch.mask is not None
    assert batch.observed is not None
    assert batch.mask.sum(1).tolist() == [45, 48, 45, 48]
    assert bool(batch.mask[0, :45].all())
    assert batch.x[0, 0, GCS] == 6  # the mean of the hour
    assert batch.x[1, 0, HCT] == 60 + 201 % 7
    # A temperature of 5 is no patient's: taken as missing, filled with the mean of the others.
    assert not bool(batch.observed[:, 2, TEMP].any())
    assert batch.x[0, 2, TEMP] == 37
    expected = batch.mask[..., None].expand(4, 80, 10).clone()
    expected[:, 2, TEMP] = False
    assert torch.equal(batch.observed, expected)


def test_an_archive_is_read_like_the_folder(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set-a.tar.xz", "w:xz") as tar:
        tar.add(folder / "set-a", "set-a")
    (tmp_path / "Outcomes-a.txt").write_bytes((folder / "Outcomes-a.txt").read_bytes())
    ours = build_dataset("timeseries", DATA, "train", root=tmp_path).fetch(range(5))
    theirs = build_dataset("timeseries", DATA, "train", root=folder).fetch(range(5))
    assert ours.keys == theirs.keys
    assert torch.equal(ours.x, theirs.x)


def test_bad_input(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no set-a.tar \(nor"):
        build_dataset("timeseries", DATA, "train", root=tmp_path)
    (tmp_path / "set-a.tar.xz").write_bytes(b"not an archive")
    with pytest.raises(InputError, match=r"set-a.tar.xz: cannot be read as a tar archive"):
        build_dataset("timeseries", DATA, "train", root=tmp_path)
    with pytest.raises(InputError, match="pads stays of 48 h; length 24, allowed: 48 or more"):
        build_dataset("timeseries", DATA.model_copy(update={"length": 24}), "train", root=folder)


def test_the_records_themselves(dataset_folder: Callable[[str], Path]) -> None:
    dataset = build_dataset("timeseries", DATA, "test", root=dataset_folder("physionet2012"))
    batch = dataset.fetch(range(len(dataset)))
    assert batch.observed is not None
    assert batch.mask is not None
    assert not bool((batch.observed & ~batch.mask[..., None]).any())
    within = batch.observed.float().sum((1, 2)) / (10 * batch.mask.sum(1))
    assert float(within.min()) >= 0.4
    assert int(batch.mask.sum(1).min()) >= 40
    assert batch.keys == sorted(batch.keys)
