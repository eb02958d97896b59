"""The record of a measurement, with the trainings that came before it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from seqdis.core.cli.output import print_line, print_metrics
from seqdis.core.metric import Metrics
from seqdis.core.priors.store import PRIOR_FOLDER, read_about
from seqdis.core.results import ResultRecord
from seqdis.core.run_record import RunRecord, parse_run_record, read_run_record
from seqdis.core.starting_noise import NoiseChoice
from seqdis.core.training_record import read_training
from seqdis.eval.engine.open_run import OpenRun

__all__ = ["save_result", "with_training"]


def save_result(
    run: OpenRun,
    metrics: Metrics,
    path: Path,
    *,
    command: str,
    name: str | None = None,
    headline: Sequence[str] = (),
    noise: NoiseChoice = "dynamic",
) -> ResultRecord:
    """Write a JSON file of what was measured of a run since it was opened, and print the figures.

    The command and the time of the training stand in the file as well.

    Args:
        run: Run that was measured.
        metrics: Metrics that were measured.
        path: The JSON file.
        command: The command that measured; that of the training is put before it.
        name: Name of the result; the preset's name when omitted.
        headline: Names of the metrics that an overview shows, at most three; those that were not measured are left out.
        noise: Noise that swaps started from; it is recorded where there are metrics of swaps.

    Returns:
        The record that was written.
    """
    config = run.config
    record = ResultRecord.of_run(
        config, metrics, name=name or config.preset, command=command, seed=config.train.seed,
        device=run.model.device, seconds=time.perf_counter() - run.opened, headline=headline, noise=noise,
    )  # fmt: skip
    record = with_training(record, [run.folder])
    record.save(path)
    print_metrics(f"{record.name} on held-out sequences", metrics)
    print_line(f"written: {path}")
    return record


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
        for part in (read_run_record(run), _of_prior(run / PRIOR_FOLDER) if drawn else None):
            if part is not None:
                commands.append(part.command)
                seconds += part.seconds or 0
    command = " && ".join([*filter(None, commands), record.command])
    known = tuple(training for training in trainings if training is not None)
    return record.model_copy(
        update={"command": command, "wall_seconds": round(seconds, 1), "trainings": known}
    )


def _of_prior(folder: Path) -> RunRecord | None:
    """The record of how a prior was fitted; None where a run has none."""
    if not (folder / "prior.json").is_file():
        return None
    return parse_run_record(read_about(folder)["about"], where=f"{folder / 'prior.json'}: about")
