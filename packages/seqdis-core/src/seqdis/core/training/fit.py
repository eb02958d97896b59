"""``fit``: arrays, tables or sequences in memory in, a trained model out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seqdis.core.coercion import as_sequences
from seqdis.core.config import RunConfig, change_config
from seqdis.core.data.loader import BatchPlan
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, TrainingInterrupted, TrainingTerminated
from seqdis.core.registry import get_modality, get_preset
from seqdis.core.training.in_memory import TrainingSets, training_sets
from seqdis.core.training.run import train
from seqdis.core.training.schedule import total_steps

__all__ = ["fit"]

EVALUATIONS = 20
"""Smallest number of validations of a run that may stop early."""


def fit(
    data: Any,
    *,
    preset: str | RunConfig,
    steps: int | None = None,
    length: int | None = None,
    val: Any = 0.1,
    early_stopping: int | None = None,
    seed: int = 0,
    device: str | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    init_from: str | Path | Disentangler | None = None,
    progress: bool = True,
    id_column: str | None = None,
    time_column: str | None = None,
    columns: Sequence[str] | None = None,
    **overrides: Any,
) -> Disentangler:
    """Train a model on data in memory: a tensor, an array, a list of unequal ones, a data frame.

    See :func:`~seqdis.core.coercion.as_sequences` for what can be given. The frames' shape and, unless ``length`` is
    given, the number of steps are those of the data; all the rest is the preset's.

    Args:
        data: The data to learn from; NaN marks an entry that was not measured.
        preset: The name of a preset (``seqdis list``), or a whole configuration.
        steps: Number of optimiser steps; the preset's when omitted.
        length: Number of steps of the windows to train on, for recordings that are longer than what a model
            should see at once; whole sequences when omitted.
        val: The share of the sequences that is held out for the validation loss (of a single one, where ``length``
            is given, its last steps), or data of their own.
        early_stopping: Number of validations without a lower loss after which training ends with the best
            weights; the preset's when omitted.
        seed: Seed of the weights, the noise, the order and the held-out share.
        device: The device, as torch names it; the best one available when omitted.
        out: A folder for checkpoints, log and previews; they are thrown away when omitted.
        resume: Whether to go on with the training that ``out`` holds, on the same data; it may be given more ``steps``.
        init_from: A model, or the folder of a run, whose weights and normaliser the training starts from; give
            ``preset=model.run_config`` beside a model whose settings are not those of a preset.
        progress: Whether to show a progress bar on stderr.
        id_column: The column of a table that names a row's sequence; all rows are one sequence when omitted.
        time_column: The column of a table that holds a row's time; the order of the rows counts when omitted.
        columns: The columns of a table that are channels; all further columns of numbers when omitted.
        **overrides: Further values of the configuration: ``static_dim=32``, ``lr=1e-3``, ``batch_size=8``.

    Returns:
        The model with averaged weights, in evaluation mode.

    Raises:
        InputError: The data cannot be read or do not suit the preset, a key is unknown, weights to start from do not
            fit, or no sequence is left to stop by.
        TrainingInterrupted: Ctrl-C, after a checkpoint, which is kept where ``out`` is given.
    """
    if resume and out is None:
        raise InputError("resume: there is no run to go on with; give the folder of one by out")
    config = get_preset(preset) if isinstance(preset, str) else preset
    given = {"train.seed": seed, "train.steps": steps, "train.patience": early_stopping}
    given = {key: value for key, value in given.items() if value is not None} | overrides
    config = change_config(config, given)
    chosen = "frame_shape" in overrides or "data.frame_shape" in overrides
    frame = config.data.frame_shape if chosen else _any_like(config.data.frame_shape)
    bounds = get_modality(config.modality).value_range
    table: dict[str, Any] = {"id_column": id_column, "time_column": time_column, "columns": columns}
    sequences = as_sequences(data, frame_shape=frame, value_range=bounds, name="data", **table)
    frame = tuple(sequences.x.shape[2:])
    if not isinstance(val, (int, float)):
        val = as_sequences(val, frame_shape=frame, value_range=bounds, name="val", **table)
    sets = training_sets(sequences, val, length=length, seed=seed)
    often = early_stopping is not None and not {"eval_every", "train.eval_every"} & overrides.keys()
    config = _config_of(config, sets, validate_often=often)
    with tempfile.TemporaryDirectory(prefix="seqdis-fit-", ignore_cleanup_errors=True) as scratch:
        try:
            return train(
                config,
                Path(scratch) / "run" if out is None else Path(out),
                train_set=sets.train,
                val_set=sets.val,
                resume=resume,
                init_from=init_from,
                device=device,
                show_progress=progress,
            )
        except (TrainingInterrupted, TrainingTerminated) as error:
            if out is None:  # its checkpoint is thrown away with the rest
                raise type(error)(
                    "stopped, and nothing is kept: a training that can go on needs out"
                ) from None
            raise


def _any_like(frame_shape: tuple[int, ...]) -> tuple[int | None, ...] | None:
    """Vectors of any width, pictures of any size with the same channels; None where a preset leaves the shape open."""
    if not frame_shape:
        return None
    if len(frame_shape) == 1:
        return (None,)
    return (frame_shape[0], None, None) if len(frame_shape) == 3 else frame_shape


def _config_of(config: RunConfig, sets: TrainingSets, *, validate_often: bool) -> RunConfig:
    steps, *frame = sets.train.shape
    data = {"dataset": "folder", "length": steps, "frame_shape": tuple(frame), "identities": ()}
    training: dict[str, Any] = {}
    if validate_often:
        epoch = BatchPlan(len(sets.train), config.train.batch_size).steps_per_epoch
        often = max(1, total_steps(config.train, epoch) // EVALUATIONS)
        training["eval_every"] = min(config.train.eval_every, often)
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=data),
            "train": config.train.model_copy(update=training),
        }
    )
