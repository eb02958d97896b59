"""The data settings that files decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.config import DataConfig
from seqdis.core.data.unpacked_files import looked_at
from seqdis.core.errors import InputError
from seqdis.core.reading import readable

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["settled_by_files"]


def settled_by_files(modality: Modality, data: DataConfig, paths: Sequence[Path]) -> DataConfig:
    """The settings with what they leave open filled in from files, of which some may lie in shards.

    Args:
        modality: The modality that reads the files, see :meth:`~seqdis.core.modality.Modality.complete`.
        data: The settings, some of which may be open.
        paths: The files, of which one or more are needed.

    Raises:
        InputError: A file cannot be used; whatever the modality throws at it is told in one line.
    """
    files = looked_at(paths)
    try:
        with readable(next(iter(files)), f"{modality.name} files"):
            return modality.complete(data, list(files))
    except InputError as error:
        text = str(error)
        for file, path in files.items():
            text = text.replace(str(file), str(path))
        raise InputError(text) from error
