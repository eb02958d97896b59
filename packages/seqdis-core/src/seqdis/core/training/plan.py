"""A summary of a training before it starts: its data, its size and its number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.config import RunConfig
from seqdis.core.data.loader import BatchPlan
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data_completion import complete_config
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset
from seqdis.core.training.schedule import total_steps

__all__ = ["RunSplits", "build_splits", "training_plan"]


@dataclass(frozen=True)
class RunSplits:
    """The data of a training.

    Attributes:
        config: The run's configuration, with what it left open filled in from the data.
        train: The dataset to learn from.
        val: The dataset of the validation loss; None where a person's own folder has no ``val``.
    """

    config: RunConfig
    train: SequenceDataset
    val: SequenceDataset | None


def build_splits(config: RunConfig, root: Path | None) -> RunSplits:
    """The training and the validation split of a run.

    Raises:
        InputError: The data cannot be used, as in :func:`~seqdis.core.registry.build_dataset`.
    """
    config = complete_config(config, root)

    def split(name: str) -> SequenceDataset:
        return build_dataset(config.modality, config.data, name, root=root, seed=config.train.seed)

    without_val = root is not None and (root / "train").is_dir() and not (root / "val").is_dir()
    val = None if config.data.dataset == "folder" and without_val else split("val")
    return RunSplits(config, split("train"), val)


def training_plan(
    config: RunConfig, train_set: SequenceDataset, val_set: SequenceDataset | None
) -> dict[str, Any]:
    """Trainable parameters, optimiser steps, and the sizes of the data, without training anything."""
    per_epoch = BatchPlan(len(train_set), config.train.batch_size).steps_per_epoch
    return {
        "parameters": sum(p.numel() for p in build_model(config).parameters() if p.requires_grad),
        "steps": total_steps(config.train, per_epoch),
        "windows_per_epoch": len(train_set),
        "val_windows": 0 if val_set is None else len(val_set),
        "sequence_shape": [*train_set.shape],
    }
