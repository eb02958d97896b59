"""``train``: a configuration and data in, a run folder and a model out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator

from seqdis.core.config import RunConfig
from seqdis.core.data.loader import BatchPlan
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.folder_lock import only_writer
from seqdis.core.processes import Processes
from seqdis.core.registry import get_modality
from seqdis.core.remembered_data import RememberedData, data_of_run, describe_data
from seqdis.core.training.attach_targets import with_targets
from seqdis.core.training.continuation import Continuation, plan_continuation
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.host_memory import keep_freed_memory
from seqdis.core.training.initial_weights import InitialWeights, read_initial_weights
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
        FolderInUseError: Another process writes into ``out``; the message says which.
        TrainingInterrupted: Ctrl-C, after a checkpoint; it is a ``KeyboardInterrupt``.
        TrainingTerminated: SIGTERM, after a checkpoint; it is a ``SystemExit``.
    """
    if train_set is None and val_set is not None:
        raise InputError("val_set: given without a train_set; allowed: both, or neither")
    if train_set is not None and data is not None:
        raise InputError(f"data: {data} is given beside a train_set; allowed: one of the two")
    accelerator, folder = make_accelerator(config.train, device), RunFolder(Path(out))
    processes = Processes.of(accelerator)
    with processes.in_first(only_writer(folder.root)):
        given = None if train_set is None else _Sets(config, train_set, val_set)
        # Also: all have looked before the first one writes.
        start = processes.together(
            lambda: _plan(
                given or _own_sets(config, folder, data, resume=resume),
                folder,
                processes=processes.count,
                resume=resume,
                init_from=init_from,
            )
        )
        processes.together(lambda: folder.clean(keep=config.train.keep) if processes.is_first else None)
        with isolated_random_state():
            if not start.going_on.finished:
                _run(start, folder, accelerator, command=command, show_progress=show_progress)
            return Disentangler.from_pretrained(folder.root, device=accelerator.device)


@dataclass(frozen=True)
class _Sets:
    """The data of a run, the configuration that they have completed, and what a later command must know of them."""

    config: RunConfig
    train: SequenceDataset
    val: SequenceDataset | None
    remembered: Callable[[], RememberedData | None] = lambda: None


@dataclass(frozen=True)
class _Start:
    """All that is known before a training begins or goes on."""

    sets: _Sets
    going_on: Continuation
    initial: InitialWeights | None


def _own_sets(config: RunConfig, folder: RunFolder, data: Path | None, *, resume: bool) -> _Sets:
    """The splits of a configuration's own data."""
    root = data_of_run(folder.root, config, data) if resume else data
    splits = build_splits(config, root, before=folder.trained_config() if resume else None)
    remembered = functools.partial(describe_data, splits.config, root)
    return _Sets(splits.config, splits.train, splits.val, remembered)


def _plan(
    sets: _Sets,
    folder: RunFolder,
    *,
    processes: int,
    resume: bool,
    init_from: str | Path | Disentangler | None,
) -> _Start:
    """Refuse what cannot be trained, and find out where the training begins; nothing is written."""
    config = sets.config
    _check_sets(config, sets.train, sets.val)
    folder.check(resume=resume)
    settings = config.train
    plan = BatchPlan(
        len(sets.train), settings.batch_size, accumulate=settings.accumulate, processes=processes
    )
    going_on = plan_continuation(folder, config, steps_per_epoch=plan.steps_per_epoch)
    return _Start(sets, going_on, None if init_from is None else read_initial_weights(init_from, config))


def _run(
    start: _Start, folder: RunFolder, accelerator: Accelerator, *, command: str, show_progress: bool
) -> None:
    sets, config = start.sets, start.sets.config
    extend = functools.partial(with_targets, config, accelerator=accelerator, show_progress=show_progress)
    trainer = Trainer(
        config,
        folder,
        train_set=extend(sets.train),
        val_set=None if sets.val is None else extend(sets.val),
        accelerator=accelerator,
        initial=start.initial,
        changes=start.going_on.changes,
        command=command,
    )
    if accelerator.device.type == "cpu":
        keep_freed_memory()
    if accelerator.is_main_process:
        folder.open(config, sets.remembered())
    accelerator.wait_for_everyone()
    trainer.run(show_progress=show_progress)
    if accelerator.device.type != "cpu":
        accelerator.free_memory()


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
