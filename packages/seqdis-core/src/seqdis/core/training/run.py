"""``train``: a configuration and data in, a run folder and a model out."""

from __future__ import annotations

import functools
from pathlib import Path

from seqdis.core.config import RunConfig
from seqdis.core.data.loader import BatchPlan
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality
from seqdis.core.remembered_data import data_of_run, describe_data
from seqdis.core.training.attach_targets import with_targets
from seqdis.core.training.continuation import plan_continuation
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.initial_weights import read_initial_weights
from seqdis.core.training.plan import build_splits
from seqdis.core.training.random_state import isolated_random_state
from seqdis.core.training.run_folder import RunFolder
from seqdis.core.training.trainer import Trainer

__all__ = ["train"]


def train(
    config: RunConfig,
    out: Path,
    *,
    data: Path | None = None,
    train_set: SequenceDataset | None = None,
    val_set: SequenceDataset | None = None,
    resume: bool = False,
    init_from: str | Path | Disentangler | None = None,
    device: str | None = None,
    command: str = "",
    show_progress: bool = True,
) -> Disentangler:
    """Train a model from its configuration into a run folder, on one process or, launched so, on many.

    Args:
        config: The configuration of the model and its training.
        out: The run folder; every process must see it.
        data: The folder of the configuration's dataset, which the run remembers; when omitted, the one that a resumed
            run remembers, else ``$SEQDIS_DATA/DATASET``.
        train_set: The training set; the configuration's own training and validation splits when omitted.
        val_set: The dataset of the validation loss and the previews; none when omitted beside a training set.
        resume: Whether to go on with the run that ``out`` holds, if it holds one. Some settings may then differ
            (:data:`~seqdis.core.training.continuation.CHANGEABLE`), and a finished run goes on if there are more steps.
        init_from: The folder of a run or a checkpoint, or a model, whose averaged weights and normaliser a new run
            starts from; a run that is resumed goes on from its own.
        device: The device, as torch names it; the best one available when omitted.
        command: The command that started the run, kept with it.
        show_progress: Whether to show a progress bar on stderr.

    Returns:
        The model with averaged weights, in evaluation mode, as ``out`` now holds it.

    Raises:
        InputError: The configuration's data cannot be used, or others are given beside them; ``out`` holds a run and ``resume`` is False, or one of another configuration;
            weights to start from that do not fit; data of another shape; patience without validation data; a target that the method asks for and that cannot be had; a loss
            that is not finite; a disk that is full.
        TrainingInterrupted: Ctrl-C, after a checkpoint; it is a ``KeyboardInterrupt``.
        TrainingTerminated: SIGTERM, after a checkpoint; it is a ``SystemExit``.
    """
    folder, remembered = RunFolder(Path(out)), None
    if train_set is None:
        if val_set is not None:
            raise InputError("val_set: given without a train_set; allowed: both, or neither")
        root = data_of_run(folder.root, config, data) if resume else data
        splits = build_splits(config, root, before=folder.trained_config() if resume else None)
        config, train_set, val_set = splits.config, splits.train, splits.val
        remembered = functools.partial(describe_data, config, root)
    elif data is not None:
        raise InputError(f"data: {data} is given beside a train_set; allowed: one of the two")
    _check_sets(config, train_set, val_set)
    accelerator = make_accelerator(config.train, device)
    folder.check(resume=resume)
    plan = BatchPlan(len(train_set), config.train.batch_size)
    going_on = plan_continuation(folder, config, steps_per_epoch=plan.steps_per_epoch)
    initial = None if init_from is None else read_initial_weights(init_from, config)
    accelerator.wait_for_everyone()  # all have looked before the first one writes
    with isolated_random_state():
        if not going_on.finished:
            extend = functools.partial(
                with_targets, config, accelerator=accelerator, show_progress=show_progress
            )
            train_set = extend(train_set)
            val_set = None if val_set is None else extend(val_set)
            if accelerator.is_main_process:
                folder.clean()
            accelerator.wait_for_everyone()
            trainer = Trainer(
                config,
                folder,
                train_set=train_set,
                val_set=val_set,
                accelerator=accelerator,
                initial=initial,
                changes=going_on.changes,
                command=command,
            )
            if accelerator.is_main_process:
                folder.open(config, None if remembered is None else remembered())
            accelerator.wait_for_everyone()
            trainer.run(show_progress=show_progress)
            if accelerator.device.type != "cpu":
                accelerator.free_memory()
        return Disentangler.from_pretrained(folder.root, device=accelerator.device)


def _check_sets(config: RunConfig, train_set: SequenceDataset, val_set: SequenceDataset | None) -> None:
    """Refuse sequences of another shape than the configuration's, and patience without validation data."""
    for name, dataset in {"train_set": train_set, "val_set": val_set}.items():
        if dataset is None:
            continue
        frame = config.data.frame_shape
        if dataset.coded:
            frame = get_modality(config.modality).codec(config.codec).latent_shape(frame)
        expected = (config.data.length, *frame)
        if dataset.shape != expected:
            raise InputError(f"{name}: sequences of shape {dataset.shape}; the configuration says {expected}")
    if config.train.patience is not None and val_set is None:
        raise InputError(
            "train.patience: there are no validation data to stop by; allowed: none without them"
        )
