"""Models to start from: folders of trained models that are found by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from seqdis.core.errors import InputError

__all__ = ["MODELS", "find_run"]

MODELS = "SEQDIS_MODELS"
"""The environment variable that names a folder of models."""


def find_run(run: str | Path) -> Path:
    """The folder of a run, a checkpoint, or a model that is known by its name.

    A path comes first; a name without a separator is then looked for in the folder :data:`MODELS`, and in ``models/`` of
    the clone that this package was installed from, if it was.

    Args:
        run: Path of a folder, or name of a model (``"sprites32-divid"``).

    Raises:
        InputError: There is no such folder; the message says where it was looked for, and what is there.
    """
    path = Path(run)
    if path.is_dir():
        return path
    if path.exists():
        raise InputError(f"{run}: is no run folder, but a file")
    if len(path.parts) != 1:
        raise InputError(f"{run}: no such run folder")
    known: list[str] = []
    looked: list[str] = []
    for where, home in _homes():
        if _is_model(home / path):
            return home / path
        looked.append(f"{where} ({home})")
        known += sorted(folder.name for folder in home.glob("*") if _is_model(folder))
    if not looked:
        raise InputError(
            f"{run}: no such run folder; a model is found by its name where {MODELS} names its folder"
        )
    there = f"; models there: {', '.join(dict.fromkeys(known))}" if known else ", where no model is"
    raise InputError(f"{run}: no such run folder; looked here, in {' and '.join(looked)}{there}")


def _homes() -> Iterator[tuple[str, Path]]:
    """The folders of models, each with what it is."""
    if named := os.environ.get(MODELS):
        yield MODELS, Path(named).expanduser()
    root = _clone()
    if root is not None:
        yield "models of the clone", root / "models"


def _clone() -> Path | None:
    """The root of the clone that this file lies in; None for an installed wheel."""
    for root in Path(__file__).resolve().parents:
        if (root / "packages" / "seqdis-core" / "pyproject.toml").is_file():
            return root
    return None


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").is_file() and (folder / "model.safetensors").is_file()
