"""The options of time series, which a preset sets besides their shape."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from seqdis.core.config import Config

__all__ = ["SeriesOptions"]


class SeriesOptions(Config):
    """The settings of the modality, kept in ``DataConfig.options``."""

    columns: tuple[str, ...] | None = Field(
        None, description="channels by name, in order; when omitted, all numeric columns of a file"
    )
    time_column: str | None = Field(
        None,
        description="a column to leave out; when omitted, a leading date, time or row number is recognised",
    )
    step: float = Field(1.0, gt=0, description="time between two steps, in units; labels a picture's axis")
    unit: str = Field("steps", description="unit of time (h, s, …)")
    stride: int | None = Field(
        None,
        ge=1,
        description="steps between the starts of a named dataset's windows; its own default when omitted",
    )
    protocol: Literal["corrected", "published"] = Field(
        "corrected", description="how a named dataset is split: soundly, or as the published figures were"
    )

    @field_validator("columns", mode="before")
    @classmethod
    def _one_column(cls, value: Any) -> Any:
        # columns=A on a command line is a word, not a list of one.
        return (value,) if isinstance(value, str) else value
