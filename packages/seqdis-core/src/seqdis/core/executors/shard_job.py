"""Work that is cut into numbered shards, each of which becomes one file."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from seqdis.core.errors import InputError
from seqdis.core.reading import read_json

__all__ = ["PLAN_FILE", "ShardJob", "ShardPlan", "ShardWorker"]

PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class ShardPlan:
    """The inputs of each shard, the same whoever computes it.

    Attributes:
        inputs: The inputs of each shard, as texts (usually paths).
        fingerprint: Hashes of all that the shards' content depends on, by a word that names it in messages
            (``"model"``, ``"inputs"``, …).
    """

    inputs: Sequence[Sequence[str]]
    fingerprint: Mapping[str, str]


class ShardWorker(ABC):
    """The state that a process computes shards with, such as a model on its device."""

    @abstractmethod
    def compute(self, shard: int, batch: Any) -> Any:
        """The result of one batch that :meth:`ShardJob.read` gave; kept on the CPU until the shard is written."""

    @abstractmethod
    def write(self, shard: int, results: Sequence[Any], path: Path) -> None:
        """Write a shard's results, in the order of its batches, to a file that appears whole or not at all."""


@dataclass(frozen=True)
class ShardJob(ABC):
    """Work that is cut into numbered shards, each of which becomes one file; small, and sent to other processes.

    A shard's bytes depend on the job and on the shard's number, never on the process or on what it did before.

    Attributes:
        folder: Absolute path of the folder of the shards, which every process sees.
        device: Device to compute on: ``"cpu"``, ``"mps"``, ``"cuda:N"``, or ``"cuda"``: the GPU that a process is given.
    """

    folder: Path
    device: str

    name: ClassVar[str] = "job"
    """The kind of job, for the index and for messages."""
    suffix: ClassVar[str] = ".safetensors"
    """Suffix of a shard's file."""

    @abstractmethod
    def open(self) -> ShardWorker:
        """Load what computes the shards; called once a process.

        Raises:
            InputError: The device is not there, or the model cannot be loaded.
        """

    @abstractmethod
    def read(self, shard: int) -> Iterator[Any]:
        """Read a shard's batches one after another, in a process that reads ahead.

        Raises:
            InputError: An input cannot be used.
        """

    def path(self, shard: int) -> Path:
        """The file of a shard."""
        return self.folder / f"{shard:06d}{self.suffix}"

    @property
    def logs(self) -> Path:
        """The folder where an executor may keep what it needs while it works; it is removed with the last shard."""
        return self.folder / "logs"

    def inputs(self, shard: int) -> list[str]:
        """The inputs of a shard, as the plan says that lies beside the shards."""
        path = self.folder / PLAN_FILE
        try:
            return _read_plan(path, path.stat().st_mtime_ns)[shard]
        except (OSError, InputError, LookupError, TypeError) as error:
            raise InputError(
                f"{path}: the plan of the shards cannot be read: {error}; all processes must see this folder"
            ) from error


@functools.lru_cache(maxsize=1)
def _read_plan(path: Path, written: int) -> list[list[str]]:
    plan: list[list[str]] = read_json(path)
    return plan
