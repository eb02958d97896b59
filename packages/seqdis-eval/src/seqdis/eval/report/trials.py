"""Trials: a line for every training that was tried, failed ones too, and their page."""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import ConfigDict, Field, field_validator

from seqdis.core.config import Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.reading import readable
from seqdis.eval.report.markdown import duration, markdown_table, number
from seqdis.eval.report.overview import GENERATED

__all__ = ["Trial", "append_trial", "read_trials", "trials_page"]


class Trial(Config):
    """One training that was tried, whatever came of it.

    Attributes:
        date: Day on which it ended, ``YYYY-MM-DD``.
        command: Command line, that of the measurement included.
        commit: Commit of the code; with a ``+`` behind it where files had changes.
        seed: Seed of the training.
        device: Name of the device.
        steps: Number of optimiser steps that it took.
        seconds: Time of the training, by the clock.
        settings: Settings that differ from those of the preset, ``key=value`` each.
        figures: Figures that were measured of the run, by name; empty where there are none.
        note: Lesson of the run, in words.
    """

    # A number written as a string, or a bool as a number, is a damaged file rather than a value.
    model_config = ConfigDict(strict=True)

    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    command: str = Field(min_length=1)
    commit: str = Field(pattern=r"^[0-9a-f]{7,40}\+?$")
    seed: int = Field(ge=0)
    device: str = Field(min_length=1)
    steps: int = Field(ge=0)
    seconds: float = Field(ge=0)
    settings: list[str]
    figures: dict[str, float]
    note: str

    @field_validator("settings")
    @classmethod
    def _are_pairs(cls, value: list[str]) -> list[str]:
        for setting in value:
            if not setting.partition("=")[0] or "=" not in setting:
                raise ValueError(f"setting {setting!r}; allowed: key=value")
        return value

    @field_validator("figures")
    @classmethod
    def _are_finite(cls, value: dict[str, float]) -> dict[str, float]:
        for name, figure in value.items():
            if not math.isfinite(figure):
                raise ValueError(f"figure {name!r} is {figure}; allowed: a finite number")
        return value


def read_trials(path: Path) -> list[Trial]:
    """The trials of a file, a JSON object a line, in order.

    Args:
        path: The file, ``results/log.jsonl``.

    Raises:
        InputError: The file cannot be read, or a line of it is no trial; the message names the line.
    """
    with readable(path, "a log of trials"):
        lines = path.read_text(encoding="utf-8").splitlines()
    trials = []
    for count, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {count}"
        with readable(where, "a trial"):
            values = json.loads(line)
        if not isinstance(values, dict):
            raise InputError(f"{where}: a {type(values).__name__}; allowed: a JSON object")
        trials.append(parse_config(Trial, values, where=where))
    return trials


def append_trial(path: Path, trial: Trial) -> None:
    """Write a trial behind those of a file, which is made if it is not there."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(trial.model_dump(mode="json"), ensure_ascii=False) + "\n")


def trials_page(path: Path) -> str:
    """The page about a file of trials: a row each, in order.

    Raises:
        InputError: A line of the log is no trial, see :func:`read_trials`.
    """
    rows = []
    for trial in read_trials(path):
        figures = ", ".join(f"{name} {number(value, 3)}" for name, value in trial.figures.items())
        settings = " ".join(f"`{setting}`" for setting in trial.settings)
        cells = [
            trial.date, f"`{trial.command}`", str(trial.seed), settings or "–", figures or "–", trial.note or "–",
            str(trial.steps), duration(trial.seconds),
        ]  # fmt: skip
        rows.append([cell.replace("|", "\\|").replace("\n", " ") for cell in cells])
    header = ["date", "command", "seed", "settings", "figures", "note", "steps", "time"]
    return "\n".join(
        [
            GENERATED,
            "",
            "# Trials",
            "",
            f"Every training that was tried, failed ones too: [{path.name}]({path.name}), with commits and devices.",
            "",
            *markdown_table(header, rows, right=2),
            "",
        ]
    )
