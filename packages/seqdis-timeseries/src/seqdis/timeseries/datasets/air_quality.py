"""Beijing multi-site air quality: 12 stations, four years, hour by hour (UCI no. 501)."""

from __future__ import annotations

import itertools
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec
from seqdis.timeseries.datasets.sources import split_shuffled
from seqdis.timeseries.io import read_series
from seqdis.timeseries.options import SeriesOptions

__all__ = ["AIR_QUALITY", "FEATURES", "air_quality_sequences"]

FEATURES = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "WSPM")
"""Ten channels; rain is left out, for the published protocol keeps it as a quantity to predict."""

STATIONS = (
    "Aotizhongxin", "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng",
    "Huairou", "Nongzhanguan", "Shunyi", "Tiantan", "Wanliu", "Wanshouxigong",
)  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

LABELS = {"month": Label(MONTHS, "static"), "station": Label(STATIONS, "static")}

_CLOCK = ("year", "month", "day", "hour")


def _read_station(root: Path, station: str) -> Clip:
    paths = sorted(
        p for p in root.glob(f"PRSA_Data_{station}_*") if p.name.endswith((".csv", ".csv.xz", ".csv.gz"))
    )
    if not paths:
        raise InputError(f"{root}: holds no PRSA_Data_{station}_….csv (nor .csv.xz, .csv.gz)")
    return read_series(paths[0], columns=(*_CLOCK, *FEATURES))


def _month_starts(clock: Tensor, length: int) -> dict[tuple[int, int], int]:
    """First rows of the calendar months that hold ``length`` hours: ``clock (T, 4)``."""
    month = clock[:, 0].long() * 12 + clock[:, 1].long() - 1
    first = [0, *(month.diff().nonzero().flatten() + 1).tolist(), len(month)]
    return {divmod(int(month[a]), 12): a for a, b in itertools.pairwise(first) if b - a >= length}


def air_quality_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """The first V hours of every month at every station, ``(V, 10)``; a missing cell is unobserved.

    2016 is the test set. ``protocol="published"`` shuffles the rest 85/15; all stations share one
    clock, so the same weather then stands on both sides. ``"corrected"`` (the default) draws whole
    months, with all their stations, into one side or the other.

    Raises:
        InputError: A station's file is absent or is not of this dataset, or months are shorter than V.
    """
    if root is None:
        raise InputError("dataset 'air-quality' needs the folder that holds the PRSA_Data files")
    options = SeriesOptions.model_validate(data.options)
    clips = [_read_station(root, station) for station in STATIONS]
    starts = [_month_starts(clip.frames[:, : len(_CLOCK)], data.length) for clip in clips]
    months = sorted(set().union(*starts))
    whole = [(month, s) for month in months for s in range(len(STATIONS)) if month in starts[s]]
    if split == "test":
        chosen = [pair for pair in whole if pair[0][0] == 2016]
    elif options.protocol == "published":
        chosen = split_shuffled([pair for pair in whole if pair[0][0] != 2016], 0.85, seed)[split]
    else:
        kept = set(split_shuffled([month for month in months if month[0] != 2016], 0.85, seed)[split])
        chosen = [pair for pair in whole if pair[0] in kept]
    if not chosen:
        raise InputError(f"dataset 'air-quality': no month holds {data.length} h; allowed: up to 672")
    x, observed = [], []
    for month, s in chosen:
        rows = slice(starts[s][month], starts[s][month] + data.length)
        frames, seen = clips[s].frames, clips[s].observed
        x.append(frames[rows, len(_CLOCK) :])
        observed.append(
            torch.ones_like(x[-1], dtype=torch.bool) if seen is None else seen[rows, len(_CLOCK) :]
        )
    label_values = {
        "month": torch.tensor([month for (_, month), _ in chosen]),
        "station": torch.tensor([s for _, s in chosen]),
    }
    keys = [f"{STATIONS[s]}@{year}-{month + 1:02d}" for (year, month), s in chosen]
    return ArraySequences(
        torch.stack(x), labels=LABELS, label_values=label_values, keys=keys, observed=torch.stack(observed)
    )


AIR_QUALITY = DatasetSpec(
    "air-quality",
    "Beijing air: ten hourly measures at 12 stations, a month a sequence, with gaps",
    LABELS,
    air_quality_sequences,
    folder="beijing_air",
    source="PRSA_Data_*.csv of https://archive.ics.uci.edu/dataset/501",
    licence="CC BY 4.0",
    credit="Beijing Multi-Site Air Quality, Song Chen 2017, UCI Machine Learning Repository, doi 10.24432/C5RK5G",
    group_key=lambda key: key.partition("@")[2],  # the month: all stations lie under one weather
)
