"""ETTh1: hourly loads and oil temperature of one electricity transformer (Zhou et al., AAAI 2021)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.prediction_tasks import Quantity
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import window_starts
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec
from seqdis.timeseries.datasets.sources import find_file, read_table, season, split_shuffled
from seqdis.timeseries.options import SeriesOptions

__all__ = ["ETT", "LOADS", "ett_sequences", "oil_temperature"]

LOADS = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL")
"""The six channels: high, middle and low voltage, useful (UFL) and useless (ULL) load."""

LABELS = {
    "season": Label(("winter", "spring", "summer", "autumn"), "static"),
    "oil_trend": Label(("falling", "steady", "rising"), "dynamic"),
    "weekday": Label(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), "dynamic"),
}

_MONTH = 30 * 24
_SPANS = {"train": (0, 12 * _MONTH), "val": (12 * _MONTH, 16 * _MONTH), "test": (16 * _MONTH, 20 * _MONTH)}


def _read(root: Path) -> pd.DataFrame:
    table = read_table(find_file(root, "ETTh1.csv"), ("date", *LOADS, "OT"))
    return table.assign(date=pd.to_datetime(table["date"]))


def _starts(table: pd.DataFrame, data: DataConfig, split: str, seed: int) -> list[int]:
    """First rows of a split's windows."""
    options = SeriesOptions.model_validate(data.options)
    if options.protocol == "corrected":
        first, last = _SPANS[split]
        starts = [first + start for start in window_starts(last - first, data.length, options.stride or 24)]
    else:
        months = table.groupby(table["date"].dt.to_period("M")).apply(lambda part: (part.index[0], len(part)))
        whole = {month: start for month, (start, hours) in months.items() if hours >= data.length}
        rest = [start for month, start in whole.items() if month.year != 2016]
        if split == "test":
            return [start for month, start in whole.items() if month.year == 2016]
        starts = split_shuffled(rest, 0.85, seed)[split]
    if not starts:
        raise InputError(
            f"dataset 'ett': its {split} split holds no window of {data.length} h; allowed: up to 672"
        )
    return starts


def _cut(values: np.ndarray, starts: list[int], length: int) -> Tensor:
    rows = np.asarray(starts)[:, None] + np.arange(length)
    return torch.from_numpy(values[rows])


def _trend(oil: Tensor) -> Tensor:
    half = oil.shape[1] // 2
    return oil[:, -half:].mean(1) - oil[:, :half].mean(1)


def ett_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """Windows of the six loads, ``(V, 6)``, hour by hour.

    ``protocol="corrected"`` (the paper's text): 12, 4 and 4 months of 30 days in time order, cut
    into overlapping windows that start ``stride`` hours apart (24 when omitted: at midnight).
    ``"published"`` (the numbers in the papers): the first V hours of each calendar month; 2016 is
    the test set, the rest is shuffled 85/15. It leaves 14, 3 and 6 sequences.

    Labels: ``season`` at the window's middle; ``oil_trend``, the mean oil temperature of the second
    half less that of the first, by terciles of the training windows (its level would be one class
    for the whole test split, which is a winter; the temperature itself is not a channel);
    ``weekday`` of the first step, which is the phase of the weekly cycle.

    Raises:
        InputError: The file is absent or is not ETTh1, or no window fits.
    """
    table = _read(_folder(root))
    starts = _starts(table, data, split, seed)
    values = table[list(LOADS)].to_numpy(np.float32)
    oil = table["OT"].to_numpy(np.float32)
    training = _trend(_cut(oil, _starts(table, data, "train", seed), data.length))
    terciles = torch.quantile(training, torch.tensor([1 / 3, 2 / 3]))
    first = table["date"].iloc[starts]
    middle = table["date"].iloc[[start + data.length // 2 for start in starts]]
    label_values = {
        "season": torch.tensor([season(month) for month in middle.dt.month]),
        "oil_trend": torch.bucketize(_trend(_cut(oil, starts, data.length)), terciles),
        "weekday": torch.tensor(first.dt.day_of_week.to_list()),
    }
    keys = first.dt.strftime("ETTh1@%Y-%m-%dT%H").to_list()
    return ArraySequences(
        _cut(values, starts, data.length), labels=LABELS, label_values=label_values, keys=keys
    )


def oil_temperature(data: DataConfig, split: str, root: Path | None, seed: int, *, hours: int = 24) -> Tensor:
    """Mean oil temperature in °C of each ``hours`` of each sequence of :func:`ett_sequences`, ``(N, V // hours)``.

    Rows go with the sequences of the same arguments, in the same order.

    Raises:
        InputError: The file cannot be used, as in :func:`ett_sequences`.
    """
    table = _read(_folder(root))
    oil = _cut(table["OT"].to_numpy(np.float32), _starts(table, data, split, seed), data.length)
    whole = data.length // hours * hours
    return oil[:, :whole].reshape(len(oil), -1, hours).mean(2)


def _folder(root: Path | None) -> Path:
    if root is None:
        raise InputError("dataset 'ett' needs the folder that holds ETTh1.csv")
    return root


ETT = DatasetSpec(
    "ett",
    "ETTh1: six hourly loads of a transformer, windows of four weeks",
    LABELS,
    ett_sequences,
    folder="ett",
    source="ETT-small/ETTh1.csv of https://github.com/zhouhaoyi/ETDataset",
    licence="CC BY-ND 4.0",
    credit="ETDataset, Zhou et al. 2021",
    derivatives=False,
    quantities={"oil_temperature": Quantity("°C", window=24, values=oil_temperature)},
)
