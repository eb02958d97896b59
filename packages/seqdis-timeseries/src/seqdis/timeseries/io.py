"""Series from files, and into files: csv, tsv, txt, parquet, npy and npz in; csv, parquet and npy out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from seqdis.core.data.clip import Clip
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.timeseries.array_files import read_array
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.table_files import TABLES, read_frame
from seqdis.timeseries.table_recordings import TableRecording, table_recordings
from seqdis.timeseries.time_steps import TimeStep, steady_step

__all__ = ["READS", "WRITES", "SeriesFile", "open_series", "read_series", "write_series"]

READS = (*TABLES, ".npy", ".npz")
WRITES = (".csv", ".parquet", ".npy")


@dataclass(frozen=True)
class SeriesFile:
    """The series of a file.

    Attributes:
        clips: The recordings, each with frames ``(T, F)`` in the file's units.
        columns: The names of the channels; None for an array, whose columns have none.
        step: The time between two steps; None where it is not known.
    """

    clips: tuple[Clip, ...]
    columns: tuple[str, ...] | None
    step: TimeStep | None = None


def open_series(path: Path, options: SeriesOptions, *, lenient: bool = False) -> SeriesFile:
    """Read a file whole.

    A missing cell (empty, ``NA``, NaN) is False in ``observed`` and holds its column's mean, so
    that a reader who ignores the mask still sees an ordinary value.

    Args:
        path: A table (csv, tsv or txt, with or without a header, also compressed; parquet) or an array (npy; npz with
            one array, or with ``x`` and a boolean ``observed``), ``(T, F)`` or ``(T,)``.
        options: The form of the file and the roles of its columns.
        lenient: Whether a table may lack the named columns of time, identifier and labels, as one that a model wrote.

    Raises:
        InputError: The file is missing, damaged, empty or may be read in two ways; a column is unknown or cannot be
            what it is named as; times go back, occur twice or are not equally spaced; a value is infinite.
    """
    if path.name.lower().endswith((".npy", ".npz")):
        return SeriesFile((_array_clip(path, options),), options.columns)
    recordings = table_recordings(read_frame(path, options), str(path), options, lenient=lenient)
    first = recordings[0]
    step = None if first.times is None else steady_step(first.times, first.time_column)
    return SeriesFile(tuple(_clip(one, path) for one in recordings), first.columns, step)


def read_series(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    time_column: str | None = None,
    id_column: str | None = None,
) -> Clip:
    """Read a file of one recording whole as ``(T, F)``; see :func:`open_series`.

    Args:
        path: The file to read.
        columns: Names of a table's columns to take as channels, in order; all numeric ones when omitted.
        time_column: Name of a table's column that holds the time of each step; recognised when omitted.
        id_column: Name of a table's column that names the recording of a row.

    Raises:
        InputError: The file cannot be used, or holds several recordings.
    """
    given = {"columns": columns, "time_column": time_column, "id_column": id_column}
    clips = open_series(path, SeriesOptions.model_validate(given)).clips
    if len(clips) > 1:
        raise InputError(f"{path}: holds {len(clips)} recordings; exactly one is needed")
    return clips[0]


def _array_clip(path: Path, options: SeriesOptions) -> Clip:
    array = read_array(path)
    names = options.columns or tuple(str(i) for i in range(array.values.shape[1]))
    if len(names) != array.values.shape[1]:
        raise InputError(f"{path}: an array of {array.values.shape[1]} columns; columns= names {len(names)}")
    if 0 in array.values.shape:
        raise InputError(f"{path}: holds no rows of numbers; at least one is needed")
    filled = _filled(array.values, array.observed, names, path)
    return Clip(
        filled, path.name, observed=None if array.observed.all() else torch.from_numpy(array.observed)
    )


def _clip(recording: TableRecording, path: Path) -> Clip:
    observed = ~np.isnan(recording.values)
    return Clip(
        _filled(recording.values, observed, recording.columns, path),
        path.name if recording.identifier is None else f"{path.name}#{recording.identifier}",
        observed=None if observed.all() else torch.from_numpy(observed),
        labels=recording.labels or None,
        stamps=recording.times,
        steps_labelled=recording.classes,
    )


def _filled(values: np.ndarray, observed: np.ndarray, names: Sequence[str], path: Path) -> Tensor:
    """The values as float32, with the mean of a column where one is missing."""
    with np.errstate(over="ignore"):
        infinite = np.argwhere(np.isinf(values.astype(np.float32)) & observed)
    if len(infinite):
        row, column = infinite[0]
        raise InputError(
            f"{path}: column {names[column]!r} is {values[row, column]} in data row {row + 1}; "
            "allowed: finite numbers, and empty or NaN for a missing one"
        )
    mean = np.where(observed, values, 0).sum(0) / np.maximum(observed.sum(0), 1)
    return torch.from_numpy(np.where(observed, values, mean)).float()


def write_series(path: Path, frames: Tensor, *, columns: Sequence[str] | None = None) -> None:
    """Write ``(T, F)`` as the kind of file that the suffix names; it appears whole or not at all.

    Args:
        path: The file to write, whose suffix is one of ``WRITES``.
        frames: Frames ``(T, F)`` in natural units.
        columns: Names of the channels; ``channel_0``, … when omitted.

    Raises:
        InputError: The number of names is not F, or the file cannot be written.
    """
    values = frames.detach().float().cpu().numpy()
    names = list(columns) if columns is not None else [f"channel_{i}" for i in range(values.shape[1])]
    if len(names) != values.shape[1]:
        raise InputError(
            f"{path}: {values.shape[1]} channels, but {len(names)} column names ({', '.join(names)})"
        )
    with replace_file(path) as partial:
        if path.suffix.lower() == ".npy":
            np.save(partial, values)
        elif path.suffix.lower() == ".parquet":
            pd.DataFrame(values, columns=names).to_parquet(partial, index=False)
        else:
            pd.DataFrame(values, columns=names).to_csv(partial, index=False)
