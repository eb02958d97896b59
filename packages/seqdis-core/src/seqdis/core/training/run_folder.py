"""The layout of a run on disk, and the rules for starting in it and going on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.leftovers import remove_leftovers
from seqdis.core.printable_names import printable
from seqdis.core.remembered_data import RememberedData, remember_data
from seqdis.core.training.checkpoint import list_checkpoints, prune_checkpoints, read_state

__all__ = ["RunFolder"]


@dataclass(frozen=True)
class RunFolder:
    """``config.json data.json model.safetensors log.jsonl run.json tensorboard/ previews/ curves/ checkpoints/``.

    ``model.safetensors`` is written last: a run is finished when it is there.
    """

    root: Path

    @property
    def config(self) -> Path:
        """The run's configuration, there from the start."""
        return self.root / "config.json"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.root / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return (self.root / "model.safetensors").is_file()

    def check(self, *, resume: bool) -> None:
        """Check whether a run may start or continue here, without changing anything.

        Raises:
            InputError: There is a run and ``resume`` is False, the path is a file, or its name is no text.
        """
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"{self.root}: is a file; a run needs a folder")
        if printable(str(self.root)) != str(self.root):
            raise InputError(
                f"{self.root}: is no name in UTF-8, as TensorBoard needs it; choose another folder"
            )
        started = [p for p in (self.config, self.checkpoints, self.root / "log.jsonl") if p.exists()]
        # Of a killed start nothing but an empty folder may be there: that is a fresh one.
        if (started or self.finished) and not resume:
            raise InputError(
                f"{self.root}: already holds a run; go on with it by --resume, or choose another folder"
            )

    def clean(self, *, keep: int) -> None:
        """Remove what a run that was killed has left: partial files, and checkpoints that it was about to remove.

        Args:
            keep: Number of checkpoints that are kept beside the best.

        Raises:
            InputError: The newest checkpoint cannot be read.
        """
        for folder in (self.root, self.checkpoints):  # the latter may be a link
            remove_leftovers(folder, below=True, held=True)
        if (newest := self.newest()) is not None:
            prune_checkpoints(self.checkpoints, keep=keep, best_step=read_state(newest).best_step)

    def open(self, config: RunConfig, data: RememberedData | None = None) -> None:
        """Make the folder and write into it what the run is trained with; a finished run is no longer one.

        Args:
            config: Configuration of the run from here on.
            data: Data that the run remembers; those that it remembers already when omitted.

        Raises:
            InputError: The folder cannot be written.
        """
        # The checkpoints hold these weights, too; beside newer ones they would mislead.
        (self.root / "model.safetensors").unlink(missing_ok=True)
        replace_with_json(self.config, config.model_dump(mode="json"))
        remember_data(self.root, data)

    def trained_config(self) -> Path | None:
        """The file of the configuration that the run was trained with so far; None where nothing is here."""
        newest = self.newest()
        file = self.config if newest is None else newest / "config.json"
        return file if newest is not None or file.is_file() else None

    def newest(self) -> Path | None:
        """The newest checkpoint, from which the run continues; None where there is none."""
        checkpoints = list_checkpoints(self.checkpoints)
        return checkpoints[-1] if checkpoints else None
