"""Trains the plain method in a process of its own, which a test may kill where it asked to be told."""

from __future__ import annotations

import resource
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from seqdis_plain import Plain

from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset
from seqdis.core.training import checkpoint, run, trainer


def _tell_and_hang(connection: Connection) -> None:
    connection.send("here")
    time.sleep(600)


def _hang_in_step(step: int, connection: Connection) -> None:
    original, calls = trainer.Trainer.step, []

    def hang_inside(self: trainer.Trainer, number: int, batches: Any) -> Any:
        loss = Plain.loss

        def hanging_loss(*args: Any, **options: Any) -> Any:
            output = loss(*args, **options)
            _tell_and_hang(connection)
            return output

        if number == step:
            Plain.loss = hanging_loss
        calls.append(number)
        return original(self, number, batches)

    trainer.Trainer.step = hang_inside


def _hang_in_save(step: int, connection: Connection) -> None:
    original = checkpoint.replace_with_json

    def hang_before_state(path: Path, value: Any) -> None:
        # All tensors are written and the last small file is not: nothing looks more complete.
        if path.name == "state.json" and value["step"] == step:
            _tell_and_hang(connection)
        original(path, value)

    checkpoint.replace_with_json = hang_before_state


def _limit_files_in_save(step: int) -> None:
    original = trainer.save_checkpoint

    def save(root: Path, state: checkpoint.TrainerState, **options: Any) -> Path:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        if state.step == step:  # from here on the kernel refuses to let a file grow beyond this
            resource.setrlimit(resource.RLIMIT_FSIZE, (1500, limits[1]))
        try:
            return original(root, state, **options)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    trainer.save_checkpoint = save


def train_child(config: RunConfig, out: Path, trouble: str, connection: Connection) -> None:
    """Resume (or start) a run; ``trouble`` is ``step 7``, ``save 10``, ``limit 10`` or empty.

    Sends ``here`` when it hangs as asked, the error's text if training refused, or ``done``.
    """
    torch.set_num_threads(1)
    kind, _, step = trouble.partition(" ")
    if kind == "step":
        _hang_in_step(int(step), connection)
    elif kind == "save":
        _hang_in_save(int(step), connection)
    elif kind == "limit":
        _limit_files_in_save(int(step))
    train_set, val_set = (build_dataset(config.modality, config.data, split) for split in ("train", "val"))
    try:
        run.train(
            config, out, train_set=train_set, val_set=val_set, resume=True, device="cpu", show_progress=False
        )
    except InputError as error:
        connection.send(str(error))
    else:
        connection.send("done")
