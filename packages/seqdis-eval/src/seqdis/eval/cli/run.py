"""What every measurement of a run begins with: its splits, and the judge that is kept beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.cli.output import progress_bar

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig
    from seqdis.core.data.sequence import SequenceDataset
    from seqdis.core.disentangler import Disentangler
    from seqdis.eval.judges import JudgeAccuracy, SequenceJudge

__all__ = ["judge_of", "splits_of"]


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
    """The judge kept in the run's folder, or a new one that is kept there."""
    from seqdis.eval.judge_training import judge_for

    with progress_bar("training the judge", show=not quiet) as progress:
        return judge_for(
            *splits, path=run / "judge.safetensors", seed=seed, device=model.device, progress=progress
        )
