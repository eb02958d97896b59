"""The interface by which an engine computes shards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from seqdis.core.base_config import LONGEST, Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.executors.shard_job import ShardJob
from seqdis.core.plugins import get_plugin

__all__ = ["Executor", "ExecutorConfig", "get_executor", "groups_of"]

MOST_SHARDS_A_GROUP, GROUPS_A_PLACE = 16, 4


class ExecutorConfig(Config):
    """The settings that every executor has."""

    losses: int = Field(
        3,
        ge=0,
        le=LONGEST,
        description="times that a shard is run again after the process that had it was lost",
    )


class Executor(ABC):
    """An engine that computes the shards of a job.

    A new one subclasses this, and names itself by an entry point of the group ``seqdis.executors``. Shards that a lost
    process or node had are run again; the files do not depend on how many processes there are.

    Args:
        config: Settings of the executor.
    """

    config_class: ClassVar[type[ExecutorConfig]] = ExecutorConfig

    def __init__(self, config: Any) -> None:
        self.config = config

    @abstractmethod
    def device(self, name: str | None) -> str:
        """The device that a job is computed on where ``--device`` says ``name``; the fastest there when None.

        Raises:
            InputError: The processes of this executor have no such device.
        """

    @abstractmethod
    def run(self, job: ShardJob, shards: Sequence[int], *, workers: int = 0) -> Iterator[int]:
        """Compute some shards of a job, and yield the number of each whose file is written.

        Args:
            job: The job to compute; its plan lies in its folder.
            shards: Numbers of the shards that are missing.
            workers: Number of further processes beside each one that computes, which read its inputs ahead.

        Raises:
            InputError: An input cannot be used, the engine is not installed or not there, or a shard's process was lost
                too often.
        """


def get_executor(name: str, settings: Mapping[str, Any] | None = None) -> Executor:
    """Build one installed executor.

    Args:
        name: Name of the executor, as ``seqdis list executors`` shows it.
        settings: Plain values of its settings.

    Raises:
        InputError: No such executor is installed, or a setting is unknown or out of range.
    """
    found = get_plugin("executors", name)
    if not (isinstance(found, type) and issubclass(found, Executor)):
        raise InputError(f"executor {name!r}: its entry point must name an Executor; got {found!r}")
    return found(parse_config(found.config_class, settings or {}, where=f"executor {name}"))


def groups_of(shards: Sequence[int], places: int) -> list[list[int]]:
    """Split shards into groups that one process computes in a row, reading the next while it computes.

    Args:
        shards: Numbers of the shards.
        places: Number of processes that work at a time; each gets several groups, so that all end together.
    """
    size = max(1, min(MOST_SHARDS_A_GROUP, len(shards) // (GROUPS_A_PLACE * places)))
    return [list(shards[i : i + size]) for i in range(0, len(shards), size)]
