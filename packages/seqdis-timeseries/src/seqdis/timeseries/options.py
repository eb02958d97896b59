"""The options of time series, which a preset sets besides their shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from seqdis.core.base_config import LONGEST
from seqdis.core.config import Config

__all__ = ["SeriesOptions"]


class SeriesOptions(Config):
    """The settings of the modality, kept in ``DataConfig.options``."""

    columns: tuple[str, ...] | None = Field(
        None, description="channels by name, in order; when omitted, all columns of numbers of a file"
    )
    other_columns: Literal["ignore", "refuse"] = Field(
        "ignore", description="columns beside the channels named by columns: left out, or an error"
    )
    time_column: tuple[str, ...] | Literal[False] | None = Field(
        None,
        description="the column of a step's time, or several that make it up (Date,Time); when omitted, "
        "recognised; false reads none",
    )
    id_column: str | Literal[False] | None = Field(
        None,
        description="the column that names the recording of a row; false: all rows of a file are one recording",
    )
    label_columns: tuple[str, ...] = Field(
        (), description="columns whose value is a label of the whole recording"
    )
    step_label_columns: tuple[str, ...] = Field((), description="columns whose value is a label of the step")
    date_format: str | None = Field(
        None, description="how dates are written, such as %d/%m/%Y %H:%M; when omitted, recognised"
    )
    sort: bool = Field(False, description="put the rows of a recording in the order of their time")
    freq: float | str | None = Field(
        None,
        description="time between two steps (1h, 15min, or a number in the unit of the time column) to resample "
        "to: the mean of the rows in each, and unobserved where there is none",
    )
    irregular: bool = Field(False, description="take rows as equally spaced although their times are not")
    missing: tuple[str, ...] | Literal[False] = Field(
        (), description="cells that mean a missing value, beside empty, NA and NaN; false: -999 is a number"
    )
    sep: str | None = Field(
        None, description="separator of a text file's columns, or tab or space; when omitted, recognised"
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="decimal mark of a text file; when omitted, recognised"
    )
    header: bool | None = Field(
        None, description="whether a text file's first line names the columns; when omitted, recognised"
    )
    skip_lines: tuple[str, ...] = Field(
        (), description="lines of a text file to leave out, by number from 1: 2, or 1-3,5"
    )
    encoding: str = Field("utf-8", description="encoding of a text file, such as latin-1 or cp1252")
    step: float = Field(1.0, gt=0, description="time between two steps, in units; labels a picture's axis")
    unit: str = Field("steps", description="unit of time (h, s, …)")
    stride: int | None = Field(
        None,
        ge=1,
        le=LONGEST,
        description="steps between the starts of a named dataset's windows; its own default when omitted",
    )
    protocol: Literal["corrected", "published"] = Field(
        "corrected", description="how a named dataset is split: soundly, or as the published figures were"
    )

    @field_validator(
        "columns",
        "time_column",
        "label_columns",
        "step_label_columns",
        "missing",
        "skip_lines",
        mode="before",
    )
    @classmethod
    def _texts(cls, value: Any) -> Any:
        # columns=A on a command line is a word and no list of one; columns=1,2 are numbers and no names.
        if value is None or value is False:
            return value
        return [str(one) for one in (value if isinstance(value, (list, tuple)) else (value,))]

    @field_validator("id_column", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return value if value is None or value is False else str(value)

    @field_validator("sep", "decimal", "date_format", mode="before")
    @classmethod
    def _comma(cls, value: Any) -> Any:
        # A command line reads a value with a comma as a list: "," as an empty one.
        return ",".join(value) or "," if isinstance(value, (list, tuple)) else value
