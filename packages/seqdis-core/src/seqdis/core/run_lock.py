"""The lock of the run that a result is written into."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from seqdis.core.data.discovery import is_run_folder
from seqdis.core.folder_lock import only_writer

__all__ = ["run_around", "writing_to"]


def run_around(path: Path) -> Path | None:
    """The folder of the run that a path lies in, for a path in a checkpoint that of the whole run; None outside of runs."""
    absolute = path.absolute()
    for folder in (absolute, *absolute.parents):
        if is_run_folder(folder):
            return folder.parents[1] if folder.parent.name == "checkpoints" else folder
    return None


@contextlib.contextmanager
def writing_to(*paths: Path) -> Iterator[None]:
    """Have the runs that some results are to lie in for this process alone, within a ``with`` block.

    Args:
        *paths: Paths of the results, files or folders; those outside of runs need no lock, for each appears at once.

    Raises:
        FolderInUseError: Another process writes into one of the runs; the message says which process.
        InputError: A run cannot be written to.
    """
    runs = dict.fromkeys(run for path in paths if (run := run_around(path)) is not None)
    with contextlib.ExitStack() as stack:
        for run in runs:
            stack.enter_context(only_writer(run))
        yield
