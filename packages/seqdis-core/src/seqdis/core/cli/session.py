"""A trained model with its modality and settings, which most commands open first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqdis.core.cli.model import load_model
from seqdis.core.cli.output import progress_bar
from seqdis.core.config import RunConfig
from seqdis.core.data.inputs import read_first, single_input
from seqdis.core.data.outputs import mark_outputs
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.modality import Modality
from seqdis.core.pretrained import config_of
from seqdis.core.registry import get_modality
from seqdis.core.remembered_data import remembered_folder
from seqdis.core.sequences import Sequences

__all__ = ["Session", "check_folder", "open_session"]


@dataclass(frozen=True)
class Session:
    """A trained model and the settings of the command that uses it.

    Attributes:
        run: Folder of the run.
        model: Model loaded from this folder, on the device that was asked for.
        config: Configuration of the model.
        modality: Modality that reads, writes and draws the model's sequences.
        seed: Seed of the command's random draws.
        quiet: Whether progress is hidden, as with ``--json``.
    """

    run: Path
    model: Disentangler
    config: RunConfig
    modality: Modality
    seed: int
    quiet: bool

    def generator(self) -> torch.Generator:
        """A new generator with the command's seed."""
        return torch.Generator().manual_seed(self.seed)

    def bar(self, text: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """A progress bar with a title."""
        return progress_bar(text, show=not self.quiet)

    def input(self, option: str, path: Path) -> Path:
        """The one input file that ``path`` is, or that the folder ``path`` holds.

        Raises:
            InputError: The folder holds several files; the message names the ``option``.
        """
        return single_input(self.modality, path, option)

    def read(self, path: Path, *, start: int = 0, frames: int | None = None) -> Sequences:
        """One sequence of a file; see :func:`~seqdis.core.data.inputs.read_first`."""
        return read_first(self.modality, path, self.config.data, start=start, frames=frames)

    def mark(self, files: Sequence[Path], *, inputs: Sequence[Path] = ()) -> None:
        """Note files that were written among inputs, so that no command takes them for inputs.

        Args:
            files: Files that the command wrote.
            inputs: Files that it read; those that the run was trained on count as well.
        """
        trained_on = remembered_folder(self.run)
        near = [path if path.is_dir() else path.parent for path in inputs]
        mark_outputs(files, near=[*near, *([] if trained_on is None else [trained_on])])

    @torch.no_grad()
    def encode(self, path: Path, *, start: int) -> Factors:
        """Factors of a file's steps from ``start`` on, at most as many as in training."""
        return self.model.encode(self.read(path, start=start))

    def summary(self, files: Sequence[Path], **details: Any) -> dict[str, Any]:
        """The record of how ``files`` were made, for JSON; a detail that is None is left out."""
        return {
            "run": str(self.run),
            "preset": self.config.preset,
            **{key: value for key, value in details.items() if value is not None},
            "seed": self.seed,
            "device": str(self.model.device),
            "files": [str(path) for path in files],
        }


def open_session(
    run: Path,
    *,
    device: str | None,
    steps: int | None = None,
    sampler: str | None = None,
    settings: Sequence[str] | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Session:
    """Load a run's model as the options of a command say; see :func:`load_model`.

    Raises:
        InputError: The run, the device or a setting cannot be used.
    """
    model = load_model(run, device=device, steps=steps, sampler=sampler, settings=settings)
    config = config_of(model)
    return Session(run, model, config, get_modality(config.modality), seed, quiet)


def check_folder(folder: Path) -> Path:
    """Check that ``folder`` can hold the files of a command that writes several, and return it.

    Raises:
        InputError: The path is a file, or has a suffix like one.
    """
    if folder.is_file() or folder.suffix:
        raise InputError(f"--out {folder}: a folder is needed, for several files are written")
    return folder
