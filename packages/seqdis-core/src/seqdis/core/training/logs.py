"""The logs of a run that is training: log.jsonl, TensorBoard, a progress bar."""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from seqdis.core.curve import Curve
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.log_lines import read_log_lines

__all__ = ["Meter", "RunLog", "truncate_log"]


class Meter:
    """Means of named scalars since the last :meth:`clear`, summed on the device."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, Tensor] = {}
        self._origin = "this run"

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Add the scalars of one step; the names are the same at every step.

        Raises:
            InputError: The names are others than those before.
        """
        plain = {name: value.detach().float() for name, value in values.items()}
        if self.count:
            if plain.keys() != self._sums.keys():
                raise InputError(
                    f"{self._origin}: means of {', '.join(sorted(self._sums))}; this step has {', '.join(sorted(plain))}"
                )
            torch._foreach_add_(list(self._sums.values()), [plain[name] for name in self._sums])
        else:
            self._sums = {name: value.clone() for name, value in plain.items()}
        self.count += 1

    @property
    def sums(self) -> dict[str, Tensor]:
        """The sums so far, scalars."""
        return self._sums

    def restore(self, count: int, sums: Mapping[str, Tensor], *, where: str) -> None:
        """Continue from the count and the sums of an earlier :attr:`sums`.

        Args:
            count: Number of steps.
            sums: Sums by name, scalars; a mean over no case is NaN.
            where: The file that they come from, for messages.

        Raises:
            InputError: A sum is no scalar of a floating type.
        """
        for name, value in sums.items():
            if value.ndim or not value.is_floating_point():
                kind = f"{value.dtype} {tuple(value.shape)}"
                raise InputError(f"{where}: {name} is {kind}; allowed: one number of a floating type")
        self.count, self._sums, self._origin = count, {name: v.float() for name, v in sums.items()}, where

    def clear(self) -> None:
        """Start the next interval."""
        self.count = 0


def truncate_log(path: Path, step: int, *, noted: Collection[str] = ()) -> None:
    """Keep the records up to ``step``; what is no line of a training goes too.

    Args:
        path: The run's ``log.jsonl``.
        step: Number of steps that are done.
        noted: Kinds of notes that are written anew: those of this step were of a start that came to nothing.
    """
    if not path.exists():
        return
    kept = [
        f"{line.text}\n"
        for line in read_log_lines(path)
        if line.step < step or (line.step == step and not any(kind in line.record for kind in noted))
    ]
    with replace_file(path) as partial:
        partial.write_text("".join(kept), encoding="utf-8")


def _leave_full_disks_to_the_caller() -> None:
    """Let TensorBoard's thread print no traceback of what it cannot write: the next write in this one raises it."""
    before = threading.excepthook
    if getattr(before, "leaves_full_disks", False):
        return

    def hook(told: threading.ExceptHookArgs) -> None:
        writes = type(told.thread).__module__.startswith("tensorboard.")
        if not (writes and isinstance(told.exc_value, OSError)):
            before(told)

    hook.leaves_full_disks = True  # type: ignore[attr-defined]
    threading.excepthook = hook


class RunLog:
    """The logs of one run, written by one process.

    ``log.jsonl`` holds what the run computes and nothing that depends on the clock, so that it is
    the same however often the run was stopped; speeds go to TensorBoard and the bar alone.

    Args:
        folder: The folder of the run.
        start: Number of steps done before; later records are dropped.
        total: Number of steps of the run.
        command: The command to show in TensorBoard.
        notes: News of this start, written as a line of its own where there is any; see
            :mod:`seqdis.core.training.notes`.
        show_progress: Whether to show a progress bar on stderr, where that is a terminal.

    Raises:
        InputError: The disk is full or the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: int,
        total: int,
        command: str,
        notes: Mapping[str, Any] | None = None,
        show_progress: bool,
    ) -> None:
        truncate_log(folder / "log.jsonl", start, noted=["changed", *(notes or {})])
        self._file = (folder / "log.jsonl").open("a", encoding="utf-8")
        _leave_full_disks_to_the_caller()
        try:
            if notes:
                self._file.write(json.dumps({"step": start, **notes}) + "\n")
                self._file.flush()
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=start + 1 if start else None)
            if command:
                self._board.add_text("command", command, start)
        except OSError as error:
            with contextlib.suppress(OSError):  # the same one about what is not yet written
                self._file.close()
            raise self._unwritable(error) from error
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not show_progress,
        )
        self._task = self._progress.add_task("training", total=total, completed=start, loss="–", speed="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
        # The error that stopped the run must not be hidden by a second one about the same full disk.
        with contextlib.suppress(OSError) if error is not None else contextlib.nullcontext():
            self._file.close()
            self._board.close()

    def advance(self, step: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=step)

    def write(
        self, step: int, values: Mapping[str, float], *, speeds: Mapping[str, float] | None = None
    ) -> None:
        """Write one line of ``log.jsonl``, and its values and the speeds as TensorBoard scalars.

        A value that is not finite (a term over an empty set) becomes null.

        Raises:
            InputError: The disk is full.
        """
        record = {"step": step} | {k: v if math.isfinite(v) else None for k, v in values.items()}
        try:
            self._file.write(json.dumps(record, allow_nan=False) + "\n")
            self._file.flush()
            for name, value in (dict(values) | dict(speeds or {})).items():
                self._board.add_scalar(name, value, step)
        except OSError as error:
            raise self._unwritable(error) from error
        if "loss" in values:
            speed = (speeds or {}).get("steps_per_second")
            pace = f"{speed:.2f} steps/s" if speed else ""
            self._progress.update(self._task, completed=step, loss=f"{values['loss']:.4g}", speed=pace)

    def write_curves(self, step: int, curves: Mapping[str, Curve]) -> None:
        """Write all points into one line of ``log.jsonl``, and each curve as a TensorBoard chart over ``x``.

        Raises:
            InputError: The disk is full.
        """
        if not curves:
            return
        record = {
            name: {
                "x": curve.x.tolist(),
                "y": [y if math.isfinite(y) else None for y in curve.y.tolist()],
                "x_name": curve.x_name,
                "y_name": curve.y_name,
                "logarithmic": curve.logarithmic,
            }
            for name, curve in curves.items()
        }
        try:
            self._file.write(json.dumps({"step": step, "curves": record}, allow_nan=False) + "\n")
            self._file.flush()
            for name, curve in curves.items():
                for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
                    self._board.add_scalar(f"{name}/step-{step:08d}", y, round(x))
        except OSError as error:
            raise self._unwritable(error) from error

    def sync(self) -> None:
        """Force what was written onto the disk, before a checkpoint that counts on it.

        Raises:
            InputError: The disk is full.
        """
        try:
            os.fsync(self._file.fileno())
            self._board.flush()
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(f"{self._file.name}: cannot be written: {error.strerror or error}")
