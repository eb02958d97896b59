"""Files that a model made among the files that it learns from, so that they never become inputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.reading import read_json

__all__ = ["made_in", "mark_outputs"]

OUTPUTS_FILE = ".seqdis-outputs.json"
"""Name of the hidden file that lists the files of its folder that a model made."""


def made_in(folder: Path) -> frozenset[str]:
    """Names of the files in a folder that :func:`mark_outputs` noted; a damaged list is none."""
    try:
        names = read_json(folder / OUTPUTS_FILE)["files"]
    except (InputError, KeyError, TypeError):
        return frozenset()
    return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()


def mark_outputs(files: Iterable[Path], *, near: Iterable[Path]) -> None:
    """Note files that were written into a folder of inputs, in a hidden list beside them.

    Args:
        files: Files and folders of frames that a model made.
        near: Folders of inputs; what was written elsewhere needs no note.

    Raises:
        InputError: The list cannot be written.
    """
    folders = [folder.resolve() for folder in near]
    of: dict[Path, set[str]] = {}
    for file in files:
        home = file.parent.resolve()
        if any(home == folder or folder in home.parents for folder in folders):
            of.setdefault(file.parent, set()).add(file.name)
    for home, names in of.items():
        there = {name for name in made_in(home) if (home / name).exists()}
        replace_with_json(home / OUTPUTS_FILE, {"files": sorted(there | names)})
