"""Indices of files, built once and kept in the folder of what can be computed again."""

from __future__ import annotations

import functools
import hashlib
import logging
from pathlib import Path

from seqdis.core.cache import cache_root
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.video.animations import index_animation
from seqdis.video.containers import index_container
from seqdis.video.frame_index import FrameIndex
from seqdis.video.picture_folder import index_folder
from seqdis.video.pictures import ANIMATIONS

__all__ = ["FileVersion", "file_version", "load_index"]

_FORMAT = 1
"""Raised whenever an index holds something else than before."""
_REMEMBERED = 1024
_logger = logging.getLogger(__name__)
FileVersion = tuple[int, int]


def file_version(path: Path) -> FileVersion:
    """The size of a file or folder and the time of its last change, which tell its versions apart.

    Raises:
        InputError: The file is missing or empty.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"{path}: no such file or folder") from error
    if not status.st_size and not path.is_dir():
        raise InputError(f"{path}: the file is empty")
    return status.st_size, status.st_mtime_ns


@functools.lru_cache(maxsize=_REMEMBERED)
def load_index(path: Path, version: FileVersion) -> FrameIndex:
    """The index of a file, from memory, from the disk, or built anew; one that is damaged on the disk is rebuilt.

    Args:
        path: The file or folder.
        version: The size and time that :func:`file_version` gives for it.

    Raises:
        InputError: The file is damaged, cut short, or holds no picture.
    """
    if path.is_dir():
        return index_folder(path)
    identity = repr((_FORMAT, str(path.resolve()), version)).encode()
    name = hashlib.sha256(identity).hexdigest()
    stored = cache_root() / "frame-index" / name[:2] / f"{name}.npz"
    try:
        return FrameIndex.from_bytes(stored.read_bytes())
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        _logger.debug("%s: rebuilt, for it cannot be read: %s", stored, error)
    index = index_animation(path) if path.suffix.lower() in ANIMATIONS else index_container(path)
    try:
        with replace_file(stored) as partial:
            partial.write_bytes(index.to_bytes())
    except InputError as error:
        _logger.debug("the index is not kept: %s", error)
    return index
