"""The layout of a run on disk, and the rules for starting in it and going on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.training.checkpoint import check_same_config, clean_leftovers, list_checkpoints

__all__ = ["RunFolder"]


@dataclass(frozen=True)
class RunFolder:
    """``config.json model.safetensors log.jsonl run.json tensorboard/ previews/ curves/ checkpoints/``.

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

    def check(self, config: RunConfig, *, resume: bool) -> None:
        """Check whether a run may start or continue here, without changing anything.

        Raises:
            InputError: There is a run and ``resume`` is False, or it has another configuration; or the path
                is a file.
        """
        if self.root.exists() and not self.root.is_dir():
            raise InputError(f"{self.root}: is a file; a run needs a folder")
        started = [p for p in (self.config, self.checkpoints, self.root / "log.jsonl") if p.exists()]
        if (started or self.finished) and not resume:
            raise InputError(
                f"{self.root}: already holds a run; go on with it by --resume, or choose another folder"
            )
        # Of a killed start nothing but an empty folder may be there: that is a fresh one.
        newest = self.newest()
        if self.config.is_file() or newest is not None:
            check_same_config(self.config if newest is None else newest / "config.json", config)

    def open(self, config: RunConfig) -> None:
        """Make the folder, write the configuration into it, and remove partial files of a run that was killed.

        Raises:
            InputError: The folder cannot be written.
        """
        replace_with_json(self.config, config.model_dump(mode="json"))
        clean_leftovers(self.checkpoints)

    def newest(self) -> Path | None:
        """The newest checkpoint, from which the run continues; None where there is none."""
        checkpoints = list_checkpoints(self.checkpoints)
        return checkpoints[-1] if checkpoints else None
