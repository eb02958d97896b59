"""Checkpoints: directories that appear whole or not at all.

``checkpoints/step-00000100/`` holds ``config.json`` and ``model.safetensors`` (the averaged
weights), so that ``Disentangler.from_pretrained`` loads it like a finished run, and ``trainer/``
with what it takes to go on: the raw weights, the optimiser's moments, the random states of every
process, and ``state.json``. Nothing in it is pickled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from seqdis.core.base_config import LONGEST
from seqdis.core.config import Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.files import remove_directory, replace_directory, replace_with_json, replace_with_tensors
from seqdis.core.reading import read_json
from seqdis.core.run_record import LONGEST_TIME

__all__ = [
    "TrainerState",
    "checkpoint_of_step",
    "list_checkpoints",
    "prune_checkpoints",
    "read_state",
    "save_checkpoint",
]


class TrainerState(Config):
    """The state that a run needs to go on, besides tensors."""

    format: Literal[1] = 1
    step: int = Field(
        ge=0, le=LONGEST, description="optimiser steps done, which also determine the position in the data"
    )
    best_step: int | None = Field(
        default=None, ge=0, le=LONGEST, description="the checkpoint with the lowest validation loss"
    )
    best_loss: float | None = None
    evaluations_since_best: int = Field(
        default=0, ge=0, le=LONGEST, description="validations without a lower loss, in a row"
    )
    seconds: float = Field(
        default=0.0, ge=0, le=LONGEST_TIME, description="time spent so far, over all parts of the run"
    )
    meter_count: int = Field(default=0, ge=0, le=LONGEST, description="steps since the last line of the log")
    scaler: dict[str, Annotated[int, Field(ge=0, le=LONGEST)] | float] = Field(
        default_factory=dict, description="state of the loss scaler of float16 training"
    )


def checkpoint_of_step(root: Path, step: int) -> Path:
    """The folder of a step's checkpoint, whether it exists or not."""
    return root / f"step-{step:08d}"


def list_checkpoints(root: Path) -> list[Path]:
    """The complete checkpoints below ``root``, oldest first."""
    return sorted(p for p in root.glob("step-*") if p.is_dir())


def save_checkpoint(
    root: Path,
    state: TrainerState,
    *,
    write_model: Callable[[Path], None],
    tensors: Mapping[str, Mapping[str, Tensor]],
) -> Path:
    """Write the checkpoint of ``state.step``.

    Args:
        root: The run's ``checkpoints`` folder.
        state: The trainer's state, written to ``trainer/state.json``.
        write_model: A function that writes ``config.json`` and ``model.safetensors`` into a folder.
        tensors: Tensors of each file in ``trainer/``, by the file's name without suffix; an empty file is
            left out.

    Raises:
        InputError: The disk is full or the folder cannot be written; older checkpoints stay.
    """
    path = checkpoint_of_step(root, state.step)
    with replace_directory(path) as partial:
        write_model(partial)
        (partial / "trainer").mkdir()
        for name, values in tensors.items():
            if values:
                path_of_file = partial / "trainer" / f"{name}.safetensors"
                # A mean over no case is NaN, and squares of gradients may overflow; weights are always finite.
                replace_with_tensors(path_of_file, values, {"format": "pt"}, finite=name == "weights")
        replace_with_json(partial / "trainer" / "state.json", state.model_dump(mode="json"))
    return path


def prune_checkpoints(root: Path, *, keep: int, best_step: int | None) -> None:
    """Remove all but the newest ``keep`` and the best."""
    for path in list_checkpoints(root)[:-keep]:
        if best_step is None or path != checkpoint_of_step(root, best_step):
            remove_directory(path)


def read_state(checkpoint: Path) -> TrainerState:
    """Read the ``state.json`` of a checkpoint.

    Raises:
        InputError: The file is missing, damaged, or of another format version.
    """
    path = checkpoint / "trainer" / "state.json"
    values = read_json(path)
    version = values.get("format") if isinstance(values, dict) else type(values).__name__
    if version != 1:
        raise InputError(f"{path}: format {version!r:.80}; this version reads format 1")
    return parse_config(TrainerState, values, where=str(path))
