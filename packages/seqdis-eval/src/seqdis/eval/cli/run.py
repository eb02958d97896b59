"""What every measurement of a run begins and ends with: its splits and judge, and the JSON file."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdis.core.cli.output import progress_bar

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.results import Metric, ResultRecord
    from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
    from seqdis.eval.judge.sequence_judge import SequenceJudge

__all__ = ["judge_of", "record_of", "splits_of", "with_training"]


def splits_of(config: RunConfig, data: Path | None) -> tuple[SequenceDataset, SequenceDataset]:
    """The training and the test split of a run."""
    from seqdis.core.registry import build_dataset

    train_set, test_set = (
        build_dataset(config.modality, config.data, split, root=data, seed=config.train.seed)
        for split in ("train", "test")
    )
    return train_set, test_set


def judge_of(
    run: Path, model: Disentangler, seed: int, splits: tuple[SequenceDataset, SequenceDataset], *, quiet: bool
) -> tuple[SequenceJudge, JudgeAccuracy]:
    """The judge kept in the run's folder, or that of other runs on the same clips, or a new one."""
    from seqdis.core.cache import cache_root
    from seqdis.eval.judge.judge_cache import judge_for

    with progress_bar("training the judge", show=not quiet) as progress:
        return judge_for(
            *splits, path=run / "judge.safetensors", shared=cache_root() / "judges", seed=seed,
            device=model.device, progress=progress,
        )  # fmt: skip


def record_of(
    out: Path,
    config: RunConfig,
    metrics: Mapping[str, Metric],
    *,
    words: Sequence[str],
    data: Path | None,
    seed: int,
    device: object,
    started: float,
) -> ResultRecord:
    """Write a measurement as JSON and return it.

    Args:
        out: The file, which names the result.
        config: Of the run.
        metrics: What was found.
        words: The command that was typed, without ``--data`` and ``--out``.
        data: What ``--data`` said.
        seed: Of the measurement.
        device: Of the model.
        started: ``time.perf_counter()`` at the start.
    """
    import torch

    from seqdis.core.results import ResultRecord, device_name, installed_versions

    where = ["--data", str(data)] if data else []
    record = ResultRecord(
        name=out.stem,
        method=config.method,
        dataset=config.data.dataset,
        modality=config.modality,
        command=shlex.join([*words, *where, "--out", str(out)]),
        seed=seed,
        device=device_name(torch.device(str(device))),
        wall_seconds=round(time.perf_counter() - started, 1),
        versions=installed_versions(),
        metrics=dict(metrics),
    )
    record.save(out)
    return record


def with_training(record: ResultRecord, runs: Sequence[Path], *, drawn: bool = False) -> ResultRecord:
    """A record with the commands and the time of the trainings before its own, of the folders that are runs'.

    Args:
        record: Of the measurement.
        runs: Their folders.
        drawn: Whether the measurement draws from the priors that were fitted to the runs; then these commands as well.
    """
    commands, seconds = [], record.wall_seconds
    for run in runs:
        trained = _told(run / "run.json")
        about = _told(run / "prior" / "prior.json").get("about") or {} if drawn else {}
        commands += [trained.get("command"), about.get("command")]
        seconds += float(trained.get("seconds", 0)) + float(about.get("seconds", 0))
    command = " && ".join([*filter(None, commands), record.command])
    return record.model_copy(update={"command": command, "wall_seconds": round(seconds, 1)})


def _told(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}
