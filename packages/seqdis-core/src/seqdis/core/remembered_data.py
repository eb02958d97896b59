"""The data that a run was trained on, remembered beside it in ``data.json`` and never in the model's own files."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from seqdis.core.base_config import LONGEST, Config, parse_config
from seqdis.core.config import RunConfig
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.tar_shards import container_of, is_there
from seqdis.core.errors import InputError
from seqdis.core.executors.shard_folder import is_shard_folder
from seqdis.core.files import replace_with_json
from seqdis.core.reading import read_json
from seqdis.core.registry import data_root, get_dataset, get_modality

__all__ = ["RememberedData", "data_of_run", "describe_data", "remember_data", "remembered_folder"]

FILE = "data.json"

_logger = logging.getLogger(__name__)


class RememberedData(Config):
    """The place of a training's files, and a fingerprint that tells whether they are still the same."""

    format: Literal[1] = 1
    path: str = Field(description="absolute path of the folder, or of the one file")
    files: int = Field(ge=0, le=LONGEST, description="number of files that were used")
    fingerprint: str = Field(description="SHA-256 over the relative name and the size of every file, by name")


def describe_data(config: RunConfig, root: Path | None) -> RememberedData | None:
    """Path, number and fingerprint of the files that a run is trained on; None for data that are no files.

    The fingerprint reads names and sizes alone, so that a folder may be moved and large files cost nothing.

    Args:
        config: Configuration of the run.
        root: Folder of its data, as ``--data`` names it; None where none was named.

    Raises:
        InputError: The folder is missing or holds nothing that the modality reads.
    """
    if root is None or not _is_of_files(config):
        return None
    path = Path(
        os.path.abspath(root)
    )  # unlike resolve: a link that is set to another place is followed there
    lines = [f"{name}\0{size}\n" for name, size in sorted(_sizes(config, path))]
    digest = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
    return RememberedData(path=str(path), files=len(lines), fingerprint=digest)


def remember_data(run: Path, data: RememberedData | None) -> None:
    """Write ``RUN/data.json``; what stands there stays where the data are no files.

    Raises:
        InputError: The folder cannot be written.
    """
    if data is not None:
        replace_with_json(run / FILE, data.model_dump(mode="json"))


def remembered_folder(run: Path) -> Path | None:
    """The folder that a run was trained on, whether it is still there or not; None where it remembers none.

    Raises:
        InputError: ``data.json`` is damaged.
    """
    file = _file_of(run)
    return None if file is None else Path(_read(file).path)


def data_of_run(run: Path, config: RunConfig, given: Path | None = None) -> Path | None:
    """The folder of a run's data: the given one, else the one that the run was trained on.

    Where its files have changed since the training, a warning of one line says so.

    Args:
        run: Folder of the run, or of one of its checkpoints.
        config: Configuration of the run.
        given: Folder that ``--data`` names.

    Returns:
        The folder; None where the run remembers none and a dataset is found by ``SEQDIS_DATA`` or generated.

    Raises:
        InputError: The folder is not there any more, or ``data.json`` is damaged; the message names ``--data``.
    """
    file = _file_of(run)
    if given is not None or file is None:
        return given
    known = _read(file)
    root: Path | None = Path(known.path)
    if root is not None and not is_there(root):
        root = _by_environment(config)
    if root is None:
        raise InputError(
            f"{run}: was trained on {known.path}, which is not there any more; name the data by --data FOLDER"
        )
    now = describe_data(config, root)
    if now is not None and now.fingerprint != known.fingerprint:
        count = f"{known.files} files then, {now.files} now"
        _logger.warning("%s: the data in %s have changed since the training (%s)", run, root, count)
    return root


def _is_of_files(config: RunConfig) -> bool:
    name = config.data.dataset
    return name == "folder" or get_dataset(config.modality, name).folder is not None


def _sizes(config: RunConfig, root: Path) -> Iterable[tuple[str, int]]:
    """Name below ``root`` and size in bytes of every file that the training may read."""
    if config.data.dataset != "folder" or is_shard_folder(root):
        inputs = [root]  # a dataset's own reader knows which of them it takes
    else:
        labels = root / "labels.json"
        inputs = [
            *dict.fromkeys(map(container_of, find_inputs(get_modality(config.modality), [root]).paths)),
            *([labels] if labels.is_file() else []),
        ]
    start = root if root.is_dir() else root.parent
    for path in inputs:
        for file in _files_below(path) if path.is_dir() else [path]:
            yield Path(os.path.relpath(file, start)).as_posix(), file.stat().st_size


def _files_below(folder: Path) -> Iterable[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in names if not name.startswith("."))


def _by_environment(config: RunConfig) -> Path | None:
    """The folder of a named dataset below ``SEQDIS_DATA``, if it is there."""
    if config.data.dataset == "folder":
        return None
    try:
        return data_root(get_dataset(config.modality, config.data.dataset))
    except InputError:
        return None


def _file_of(run: Path) -> Path | None:
    """The run's ``data.json``, also from one of its checkpoints; None where it remembers nothing."""
    folders = [run, run.absolute().parent.parent] if run.absolute().parent.name == "checkpoints" else [run]
    return next((folder / FILE for folder in folders if (folder / FILE).is_file()), None)


def _read(file: Path) -> RememberedData:
    values = read_json(file, hint="; name the data by --data FOLDER")
    if not isinstance(values, dict):
        raise InputError(f"{file}: holds a {type(values).__name__}; name the data by --data FOLDER")
    return parse_config(RememberedData, values, where=str(file))
