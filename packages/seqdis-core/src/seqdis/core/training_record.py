"""The budget of a finished training, as results hold it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from seqdis.core.base_config import LONGEST
from seqdis.core.config import Config, RunConfig
from seqdis.core.pretrained import read_run_config
from seqdis.core.registry import get_preset, list_presets
from seqdis.core.run_record import LONGEST_TIME, read_run_record

__all__ = ["TrainingRecord", "changed_settings", "read_training", "training_record"]


class TrainingRecord(Config):
    """One training behind a result: what was trained, and for how long.

    Attributes:
        run: Folder of the run, as it was given.
        method: Name of the method that was trained.
        preset: Name of the preset that the run started from.
        changes: Settings of data, codec and model that differ from the preset's, texts ``key=value``.
        sequence_shape: Shape of one sequence, ``(V, *frame)``, in natural units.
        steps: Number of optimiser steps.
        batch_size: Number of sequences a step.
        seconds: Seconds of training; None where they were not recorded.
        case: Case of the result's metrics that belong to this training; empty where they belong to all trainings.
    """

    model_config = ConfigDict(strict=True)

    run: str
    method: str
    preset: str
    # JSON has no tuples.
    changes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    sequence_shape: Annotated[
        tuple[Annotated[int, Field(ge=1, le=1 << 28)], ...], Field(strict=False, max_length=9)
    ]
    steps: int = Field(ge=1, le=LONGEST)
    batch_size: int = Field(ge=1, le=LONGEST)
    seconds: float | None = Field(None, ge=0, le=LONGEST_TIME)
    case: str = ""


def training_record(
    config: RunConfig, run: str, *, steps: int, seconds: float | None = None, case: str = ""
) -> TrainingRecord:
    """The record of a training with a configuration; see :class:`TrainingRecord` for the other arguments.

    Args:
        config: Configuration of the run.
        run: Folder of the run.
        steps: Number of optimiser steps.
        seconds: Seconds of training, where they are known.
        case: Case of the metrics that belong to the training.
    """
    return TrainingRecord(
        run=run,
        method=config.method,
        preset=config.preset,
        changes=changed_settings(config),
        sequence_shape=(config.data.length, *config.data.frame_shape),
        steps=steps,
        batch_size=config.train.batch_size,
        seconds=seconds,
        case=case,
    )


def read_training(run: Path, *, case: str = "") -> TrainingRecord | None:
    """The training of a run, from its ``config.json`` and ``run.json``; None where either is missing.

    Args:
        run: Folder of the run.
        case: Case of the metrics that belong to the training.

    Raises:
        InputError: One of them cannot be read.
    """
    record = read_run_record(run)
    if record is None or record.steps is None or not (run / "config.json").is_file():
        return None
    config = read_run_config(run / "config.json")
    return training_record(config, run.as_posix(), steps=record.steps, seconds=record.seconds, case=case)


def changed_settings(config: RunConfig) -> tuple[str, ...]:
    """Settings of data, codec and model that differ from the run's preset, texts ``key=value``.

    Nothing where the preset is not installed.
    """
    if config.preset not in list_presets():
        return ()
    preset = get_preset(config.preset)
    parts = {"data", "codec", "model"}
    ours, base = (dict(_leaves(c.model_dump(mode="json", include=parts))) for c in (config, preset))
    changed = {key: value for key, value in ours.items() if key not in base or base[key] != value}
    # Another kind of an algorithm has settings of its own, which are not changes of the preset's.
    kinds = {key.removesuffix("kind") for key in changed if key.endswith(".kind")}
    changed = {
        key: value
        for key, value in changed.items()
        if key in base or not any(key.startswith(kind) for kind in kinds)
    }
    return tuple(f"{_short(key, ours)}={_text(value)}" for key, value in sorted(changed.items()))


def _leaves(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _short(key: str, keys: Mapping[str, Any]) -> str:
    """A path without the parts that it does not need to be told from the other paths."""
    parts = key.split(".")
    for start in range(len(parts) - 1, 0, -1):
        tail = ".".join(parts[start:])
        if sum(other == tail or other.endswith(f".{tail}") for other in keys) == 1:
            return tail
    return key


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value).replace(" ", "")
