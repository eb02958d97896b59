"""The time-series modality, which this package adds to seqdis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec, Modality, Panel
from seqdis.timeseries.io import READS, WRITES, SeriesFile, open_series, write_series
from seqdis.timeseries.options import SeriesOptions

__all__ = ["TimeSeriesModality"]


class TimeSeriesModality(Modality):
    """Frames are vectors ``(F,)``, one number a channel, in the units of the file they came from."""

    name = "timeseries"
    summary = "several numbers a step: sensors, vital signs, loads"
    reads = READS
    writes = WRITES
    pictures = (".png", ".pdf")
    options_class = SeriesOptions

    def datasets(self) -> Mapping[str, DatasetSpec]:
        from seqdis.timeseries.datasets import DATASETS

        return DATASETS

    def split_as(self, data: DataConfig, mode: Literal["corrected", "published"]) -> DataConfig:
        return data.model_copy(update={"options": {**data.options, "protocol": mode}})

    def presets(self) -> Mapping[str, Callable[[], RunConfig]]:
        from seqdis.timeseries.presets import PRESETS

        return PRESETS

    def starter(self) -> str | None:
        return "diffsda-series"

    def demo(self) -> str | None:
        return "diffsda-waves"

    def complete_from(self, data: DataConfig, path: Path) -> DataConfig:
        """Fill in the number of channels, their names, and the time between two steps, from a person's file.

        Raises:
            InputError: The file cannot be used, or lacks a column that an option names.
        """
        self.check_suffix(path, self.reads, "read")
        options: SeriesOptions = self.options(data)
        file = open_series(path, options)
        found: dict[str, Any] = {}
        if options.columns is None and file.columns is not None:
            found |= {"columns": list(file.columns), "other_columns": "refuse"}
        if file.step is not None and options.unit == "steps":
            found |= {"step": file.step.size, "unit": file.step.unit}
        self._check_width(file, path, data)
        read = options.model_dump(mode="json")
        given = {key: read[key] for key in data.options}
        return data.model_copy(update={"frame_shape": file.clips[0].frame_shape, "options": given | found})

    def open(self, path: Path, data: DataConfig) -> tuple[Clip, ...]:
        self.check_suffix(path, self.reads, "read")
        file = open_series(path, self.options(data), lenient=True)
        self._check_width(file, path, data)
        return file.clips

    def read(self, path: Path, data: DataConfig) -> Clip:
        clips = self.open(path, data)
        if len(clips) > 1:
            raise InputError(f"{path}: holds {len(clips)} recordings; exactly one is needed")
        return clips[0]

    def _check_width(self, file: SeriesFile, path: Path, data: DataConfig) -> None:
        (width,) = file.clips[0].frame_shape
        if data.frame_shape and data.frame_shape != (width,):
            raise InputError(
                f"{path}: {width} numeric columns; the model takes {data.frame_shape[0]}: choose them with columns=A,B,…, "
                f"or train with frame_shape=[{width}]"
            )

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        self.check_suffix(path, self.writes, "write")
        write_series(path, frames, columns=self._names(data))

    def draw(self, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
        from seqdis.timeseries.plot import plot_grid

        self.check_suffix(path, self.pictures, "draw")
        options: SeriesOptions = self.options(data)
        plot_grid(path, grid, names=self._names(data), step=options.step, unit=options.unit)

    def _names(self, data: DataConfig) -> tuple[str, ...] | None:
        options: SeriesOptions = self.options(data)
        return options.columns
