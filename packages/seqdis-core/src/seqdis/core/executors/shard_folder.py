"""The folder of a job's shards, each of which is finished or absent."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqdis.core.errors import InputError
from seqdis.core.executors.shard_job import PLAN_FILE, ShardJob, ShardPlan
from seqdis.core.files import replace_with_json
from seqdis.core.folder_lock import holds_nothing
from seqdis.core.leftovers import remove_leftovers
from seqdis.core.reading import read_json, readable

__all__ = ["INDEX_FILE", "ShardFolder", "is_shard_folder", "read_index"]

INDEX_FILE, _FORMAT = "index.json", "seqdis.shards.1"
_PATIENCE = 60.0


def is_shard_folder(folder: Path) -> bool:
    """Whether a folder holds shards, finished or not; only the beginning of its index is read."""
    try:
        with (folder / INDEX_FILE).open("rb") as file:
            return f'"{_FORMAT}"'.encode() in file.read(64)
    except OSError:
        return False


def read_index(folder: Path) -> dict[str, Any]:
    """Read the index of a folder of shards.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    path = folder / INDEX_FILE
    index = read_json(path, kind="an index of shards")
    if not isinstance(index, dict) or index.get("format") != _FORMAT:
        raise InputError(f"{path}: is no index of shards of format {_FORMAT!r}")
    return index


class ShardFolder:
    """The shards of one job, with ``plan.json`` (inputs of each shard) and ``index.json`` beside them.

    The index says from the beginning what the shards are made from, so that work that was stopped goes on where it
    stood, and never over shards of another model or of other inputs.

    Args:
        job: The job whose shards lie in its folder.
        plan: Inputs of each shard, and what all of them depend on.
    """

    def __init__(self, job: ShardJob, plan: ShardPlan) -> None:
        self.job, self.plan = job, plan

    @property
    def path(self) -> Path:
        """The folder of the shards."""
        return self.job.folder

    def claim(self, *, force: bool = False) -> None:
        """Begin in the folder, or go on with what is there; the caller has the folder's lock.

        Args:
            force: Start over where it holds the shards of another job.

        Raises:
            InputError: The folder holds other things, or shards that were made from something else.
        """
        if (self.path / INDEX_FILE).is_file():
            index = read_index(self.path)
            with readable(self.path / INDEX_FILE, "an index of shards"):
                changed = self._changed(index)
            if not changed:
                return
            if not force:
                what = (
                    "another kind of job"
                    if index["job"] != self.job.name
                    else f"other {' and '.join(changed)}"
                )
                raise InputError(
                    f"{self.path}: holds shards made from {what}; --force starts over, another --out leaves them"
                )
        elif not (holds_nothing(self.path) or (self.path / PLAN_FILE).is_file()):
            raise InputError(f"{self.path}: is there and holds no shards; give a new or an empty folder")
        self.clear()  # a beginning or a removal that was cut short has a plan and no index
        replace_with_json(self.path / PLAN_FILE, self.plan.inputs)
        replace_with_json(self.path / INDEX_FILE, self._head())

    def _head(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "job": self.job.name,
            "made_from": dict(self.plan.fingerprint),
            "shards": len(self.plan.inputs),
            "finished": False,
        }

    def _changed(self, index: Mapping[str, Any]) -> list[str]:
        """The parts of the fingerprint that differ between an index and this job, in words."""
        if index["job"] != self.job.name:
            return ["job"]
        now, then = self.plan.fingerprint, index["made_from"]
        return [name for name in now if then.get(name) != now[name]]

    def missing(self) -> list[int]:
        """Numbers of the shards that are not there."""
        there = {path.name for path in self._files()}
        return [i for i in range(len(self.plan.inputs)) if self.job.path(i).name not in there]

    def _files(self) -> list[Path]:
        return [path for path in self.path.glob(f"*{self.job.suffix}") if path.stem.isdigit()]

    def check_complete(self) -> None:
        """Check that every shard is there.

        Raises:
            InputError: A shard that was reported as written does not appear within a minute.
        """
        end = time.monotonic() + _PATIENCE
        while missing := self.missing():
            # A network file system may show a file of another machine a while after it was written.
            if time.monotonic() > end:
                raise InputError(
                    f"{self.job.path(missing[0])}: was written where this process does not see it; "
                    "--out must lie in a folder that all machines share"
                )
            time.sleep(1)

    def finish(self, contents: Mapping[str, Any]) -> None:
        """Write the index of a folder that is complete.

        Args:
            contents: Further entries of the index, as plain values.
        """
        shutil.rmtree(self.job.logs, ignore_errors=True)
        remove_leftovers(self.path, held=True)
        replace_with_json(self.path / INDEX_FILE, self._head() | {"finished": True} | dict(contents))

    def clear(self) -> None:
        """Remove the index, the shards and the plan, in this order: without its index, nobody goes on with the rest."""
        shutil.rmtree(self.job.logs, ignore_errors=True)
        remove_leftovers(self.path, held=True)
        for path in [self.path / INDEX_FILE, *self._files(), self.path / PLAN_FILE]:
            path.unlink(missing_ok=True)
