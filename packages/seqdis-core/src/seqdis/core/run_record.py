"""The record ``run.json`` of a finished training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field

from seqdis.core.base_config import LONGEST, Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.reading import read_json

__all__ = ["LONGEST_TIME", "RunRecord", "parse_run_record", "read_run_record"]

LONGEST_TIME = 10**10
"""The largest number of seconds of any measurement: three centuries."""


class RunRecord(Config):
    """The command, the device and the time of a training, or of a prior's.

    Attributes:
        command: Command line that made it; empty where it is not known.
        device: Name of the device that it ran on; empty where it is not known.
        seconds: Time that it took, in seconds; None where it is not known.
        steps: Number of optimiser steps; None where it is not known.
        versions: Versions of the packages, by name.
    """

    # A number written as a string, or a bool as a number, is a damaged file rather than a value; further keys are
    # of no concern here.
    model_config = ConfigDict(strict=True, extra="ignore")

    command: str = ""
    device: str = ""
    seconds: float | None = Field(None, ge=0, le=LONGEST_TIME)
    steps: int | None = Field(None, ge=1, le=LONGEST)
    versions: dict[str, str] = Field(default_factory=dict)


def parse_run_record(values: Any, *, where: str) -> RunRecord:
    """A record from plain JSON values.

    Raises:
        InputError: The values are no record, or one of them is of another type or out of range.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{where}: got {type(values).__name__}; allowed: the record of a run")
    return parse_config(RunRecord, values, where=where)


def read_run_record(run: Path) -> RunRecord | None:
    """The record of a run; None where it has none.

    Raises:
        InputError: ``run.json`` is damaged.
    """
    path = run / "run.json"
    return parse_run_record(read_json(path), where=str(path)) if path.is_file() else None
