"""A script that trains one preset, with options of its own file."""

from __future__ import annotations

from pathlib import Path

from seqdis.core.cli.options import Data, InitFrom, Overrides, Resume
from seqdis.core.cli.script import run_script, script_command
from seqdis.core.overrides import apply_overrides
from seqdis.core.registry import get_preset
from seqdis.core.training.run import train

__all__ = ["training_script"]


def training_script(*, preset: str, out: str) -> None:
    """Be the command ``python train.py [key=value …] --data FOLDER --out RUN --resume --init-from RUN --preset NAME``.

    It ends the process.

    It is :func:`seqdis.core.train` with a configuration that the words change; the file's docstring is its help.

    Args:
        preset: Name of the preset where ``--preset`` is not given.
        out: Folder of the run where ``--out`` is not given.
    """
    name, folder = preset, Path(out)

    def main(
        overrides: Overrides = None,
        preset: str = name,
        data: Data = None,
        out: Path = folder,
        resume: Resume = False,
        init_from: InitFrom = None,
    ) -> None:
        config = apply_overrides(get_preset(preset), overrides or [])
        train(config, out, data=data, resume=resume, init_from=init_from, command=script_command())

    run_script(main)
