"""A summary of a training before it starts: its data, its size and its number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.config import RunConfig
from seqdis.core.data.folder import has_split
from seqdis.core.data.loader import BatchPlan
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data_completion import complete_config, keep_completion
from seqdis.core.pretrained import build_model, read_run_config
from seqdis.core.registry import build_dataset, get_modality
from seqdis.core.remembered_data import data_of_run
from seqdis.core.training.checkpoint import read_state
from seqdis.core.training.continuation import changes_since, plan_continuation
from seqdis.core.training.initial_weights import read_initial_weights
from seqdis.core.training.run_folder import RunFolder
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


def build_splits(config: RunConfig, root: Path | None, *, before: Path | None = None) -> RunSplits:
    """The training and the validation split of a run.

    Args:
        config: The configuration of the run, of which some may be left open.
        root: The folder of its data.
        before: The file of the configuration of a run that goes on: what was left open stays as it was found;
            see :func:`~seqdis.core.data_completion.keep_completion`.

    Raises:
        InputError: The data cannot be used, as in :func:`~seqdis.core.registry.build_dataset`, or a setting differs
            that may not.
    """
    completed = complete_config(config, root)
    if before is not None:
        completed = keep_completion(completed, config, read_run_config(before))
        changes_since(before, completed)  # before the data are read by settings that may not change
    config = completed

    def split(name: str) -> SequenceDataset:
        data, seed = config.data, config.train.seed
        return build_dataset(config.modality, data, name, root=root, seed=seed, latents=True)

    own = root is not None and config.data.dataset == "folder"
    without_val = (
        own and root is not None and not has_split(get_modality(config.modality), config.data, "val", root)
    )
    return RunSplits(config, split("train"), None if without_val else split("val"))


def training_plan(
    config: RunConfig,
    out: Path,
    *,
    data: Path | None = None,
    resume: bool = False,
    init_from: str | Path | None = None,
) -> dict[str, Any]:
    """A summary of what :func:`~seqdis.core.training.run.train` would do, of which nothing is done: sizes, steps, start.

    Args:
        config: The configuration of the run.
        out: The run's folder.
        data: The folder of the data, as for :func:`~seqdis.core.training.run.train`.
        resume: Whether a run that ``out`` holds would go on.
        init_from: The run whose weights a new run would start from.

    Raises:
        InputError: The training would be refused.
    """
    folder = RunFolder(out)
    before = folder.trained_config() if resume else None
    root = data_of_run(out, config, data) if resume else data
    splits = build_splits(config, root, before=before)
    config, train_set, val_set = splits.config, splits.train, splits.val
    per_epoch = BatchPlan(len(train_set), config.train.batch_size).steps_per_epoch
    model, newest, begins = build_model(config), folder.newest() if resume else None, dict[str, Any]()
    if init_from is not None and newest is None:
        read_initial_weights(init_from, config).load_into(model)
        begins["weights_from"] = str(init_from)
    if resume:
        folder.check(resume=True)
        going_on = plan_continuation(folder, config, steps_per_epoch=per_epoch)
        begins["steps_done"] = 0 if newest is None else read_state(newest).step
        if going_on.changes:
            begins["changed"] = [f"{key}: {c.before} -> {c.now}" for key, c in going_on.changes.items()]
    return {
        "parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "steps": total_steps(config.train, per_epoch),
        **begins,
        "windows_per_epoch": len(train_set),
        "val_windows": 0 if val_set is None else len(val_set),
        "sequence_shape": [*train_set.shape],
        "config": config.model_dump(mode="json"),
    }
