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
from seqdis.core.reading import read_json

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
        self._made: list[Path] = []

    @property
    def path(self) -> Path:
        """The folder of the shards."""
        return self.job.folder

    def claim(self, *, force: bool = False) -> None:
        """Make the folder, or go on with the one that is there.

        Args:
            force: Start over where it holds the shards of another job.

        Raises:
            InputError: The folder holds other things, or shards that were made from something else.
        """
        if (self.path / INDEX_FILE).is_file():
            index = read_index(self.path)
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
            self.clear()
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise InputError(f"{self.path}: is there and holds no shards; give a new or an empty folder")
        self._made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
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
        self._remove_rests()
        replace_with_json(self.path / INDEX_FILE, self._head() | {"finished": True} | dict(contents))

    def _remove_rests(self) -> None:
        """Remove what processes that were killed while they wrote left behind, and the executor's logs."""
        shutil.rmtree(self.job.logs, ignore_errors=True)
        for path in self.path.glob(f".*{self.job.suffix}"):
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the shards, the plan and the index, and the folders that were made for them and are empty now."""
        self._remove_rests()
        for path in [*self._files(), self.path / PLAN_FILE, self.path / INDEX_FILE]:
            path.unlink(missing_ok=True)
        for path in dict.fromkeys([self.path, *self._made]):
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()
