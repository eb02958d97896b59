"""The record of a measurement, with the trainings that came before it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from seqdis.core.config import RunConfig
from seqdis.core.metric import Metrics
from seqdis.core.results import ResultRecord, device_name, installed_versions
from seqdis.core.training_record import read_training

__all__ = ["make_record", "with_training"]


def make_record(
    path: Path,
    config: RunConfig,
    metrics: Metrics,
    *,
    words: Sequence[str],
    data: Path | None,
    seed: int,
    device: torch.device | str,
    seconds: float,
) -> ResultRecord:
    """A measurement of a run as a record.

    Args:
        path: Of the JSON file, which names the result.
        config: Of the run.
        metrics: What was found.
        words: The command that was typed, without ``--data`` and ``--out``.
        data: What ``--data`` said.
        seed: Of the measurement.
        device: Of the model.
        seconds: That it took.
    """
    where = ["--data", str(data)] if data else []
    return ResultRecord(
        name=path.stem,
        method=config.method,
        dataset=config.data.dataset,
        modality=config.modality,
        command=shlex.join([*words, *where, "--out", str(path)]),
        seed=seed,
        device=device_name(device),
        wall_seconds=round(seconds, 1),
        versions=installed_versions(),
        metrics=metrics,
    )


def with_training(
    record: ResultRecord, runs: Sequence[Path], *, drawn: bool = False, compared: bool = False
) -> ResultRecord:
    """The record of a measurement with the commands, the time and the budgets of the trainings before it.

    Args:
        record: The measurement's own record.
        runs: Folders of the runs; one that holds no training adds nothing.
        drawn: Whether the measurement draws from the priors of the runs, whose commands are then added, too.
        compared: Whether the metrics of several runs stand apart, each under the name of its run's folder.
    """
    cases = compared and len(runs) > 1
    trainings = [read_training(run, case=run.name if cases else "") for run in runs]
    commands, seconds = [], record.wall_seconds
    for run in runs:
        trained = _read(run / "run.json")
        about = _read(run / "prior" / "prior.json").get("about") or {} if drawn else {}
        commands += [trained.get("command"), about.get("command")]
        seconds += float(trained.get("seconds", 0)) + float(about.get("seconds", 0))
    command = " && ".join([*filter(None, commands), record.command])
    known = tuple(training for training in trainings if training is not None)
    return record.model_copy(
        update={"command": command, "wall_seconds": round(seconds, 1), "trainings": known}
    )


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
