"""Files and folders made aside, in a folder that is swept after a kill, and moved to their place when complete."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.files import sync_tree

__all__ = ["STAGING", "remove", "replaced_aside"]

STAGING = ".partial"
"""The folder, below that of the results, in which unfinished ones lie."""


@contextlib.contextmanager
def replaced_aside(folder: Path, name: str) -> Iterator[Path]:
    """Yield a path at which to make a file or a folder; on a clean exit it is synced and moved to ``folder/name``.

    Args:
        folder: The folder of the results.
        name: The path of the result below it.

    Raises:
        InputError: The result cannot be written. Errors of this type raised inside name the final path.
    """
    target = folder / name
    aside = folder / STAGING / name
    staged = aside / target.name
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        yield staged
        sync_tree(aside)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() or staged.is_dir():
            remove(target)
        staged.replace(target)
    except InputError as error:
        raise InputError(str(error).replace(str(staged), str(target))) from error
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def remove(path: Path) -> None:
    """Take away a file, or a folder with all that is in it; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
