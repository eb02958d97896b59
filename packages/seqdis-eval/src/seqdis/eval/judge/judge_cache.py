"""Judges kept in files: beside the run that they were trained for, and in one folder for all runs on the same clips."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import torch

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.eval.judge.dataset_identity import dataset_identity
from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
from seqdis.eval.judge.judge_training import JudgeBudget, measure_judge, train_judge
from seqdis.eval.judge.sequence_judge import SequenceJudge

__all__ = ["judge_for"]

_BUDGET = JudgeBudget()
_logger = logging.getLogger(__name__)


def judge_for(
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    path: Path | None = None,
    shared: Path | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    budget: JudgeBudget = _BUDGET,
    progress: Progress | None = None,
) -> tuple[SequenceJudge, JudgeAccuracy]:
    """The judge kept at ``path``, or in ``shared``, if it came from the same clips, seed and budget; else a new one.

    A file that cannot be read counts as none and is replaced, and where one cannot be written, the judge is not kept
    there; a line of the log says so.

    Args:
        train_set: Training split that it learns from.
        test_set: Test split on which its accuracy is measured.
        path: A safetensors file, read or written; nothing is kept when omitted.
        shared: A folder with the judges of many runs, each under a name that its origin gives: runs on the same
            clips then share one.
        seed: Seed, as in :func:`~seqdis.eval.judge.judge_training.train_judge`.
        device: Device, as in :func:`~seqdis.eval.judge.judge_training.train_judge`.
        budget: Budget, as in :func:`~seqdis.eval.judge.judge_training.train_judge`.
        progress: Function called as the work advances, as in :func:`~seqdis.eval.judge.judge_training.train_judge`.
    """
    origin = _origin(train_set, test_set, seed, budget)
    kept = None if path is None else _kept(path, origin)
    if kept is not None:
        return kept[0].to(device), kept[1]
    common = None if shared is None else shared / f"{origin[:32]}.safetensors"
    cached = None if common is None else _kept(common, origin)
    if cached is None:
        judge = train_judge(train_set, seed=seed, budget=budget, device=device, progress=progress)
        accuracy = measure_judge(judge, test_set)
        new = [common, path]
    else:
        judge, accuracy = cached[0].to(device), cached[1]
        new = [path]
    problems = []
    for place in new:
        try:
            if place is not None:
                judge.save(place, accuracy=accuracy, origin=origin)
        except InputError as error:
            problems.append(str(error))
    if problems:
        _logger.warning("the judge is not kept: %s", "; ".join(problems))
    return judge, accuracy


def _kept(path: Path, origin: str) -> tuple[SequenceJudge, JudgeAccuracy] | None:
    """The judge of a file; None where there is none, one of another origin, or one that cannot be read."""
    if not path.is_file():
        return None
    try:
        judge, accuracy, trained_on = SequenceJudge.load(path)
    except InputError as error:
        _logger.warning("the judge kept there is left out: %s", error)
        return None
    return (judge, accuracy) if trained_on == origin else None


def _origin(train_set: SequenceDataset, test_set: SequenceDataset, seed: int, budget: JudgeBudget) -> str:
    digest = hashlib.sha256(f"{seed} {budget}".encode())
    for dataset in (train_set, test_set):
        for part in dataset_identity(dataset):
            digest.update(part)
    return digest.hexdigest()
