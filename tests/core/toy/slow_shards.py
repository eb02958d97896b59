"""Shards that take a while, in a module that the processes of every executor can import."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.analysis.encode_job import EncodeJob
from seqdis.core.analysis.file_windows import WindowBatch
from seqdis.core.errors import InputError
from seqdis.core.executors import ShardJob, ShardPlan, ShardWorker
from seqdis.core.files import replace_file


@dataclass(frozen=True)
class WordsJob(ShardJob):
    """Each shard is a text of its inputs, in capitals.

    Attributes:
        seconds: Time that an input takes to read.
        deadly: The input that kills the process that reads it, the first so many times.
        deaths: How many times.
    """

    seconds: float = 0.0
    deadly: str = ""
    deaths: int = 1

    name = "words"
    suffix = ".txt"

    def open(self) -> ShardWorker:
        return _Writer()

    def read(self, shard: int) -> Iterator[str]:
        for word in self.inputs(shard):
            time.sleep(self.seconds)
            if word == "refused":
                raise InputError(f"{word}: no word")
            if word == self.deadly:
                _die_at_first(self.folder.parent, self.deaths)
            yield word


class _Writer(ShardWorker):
    def compute(self, shard: int, batch: str) -> str:
        return batch.upper()

    def write(self, shard: int, results: Sequence[str], path: Path) -> None:
        with replace_file(path) as partial:
            partial.write_text(" ".join([str(shard), *results]))


def _die_at_first(folder: Path, times: int) -> None:
    before = len(list(folder.glob("died-*")))
    if before < times:
        (folder / f"died-{before}").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def words_plan(count: int, **changes: str) -> ShardPlan:
    """Shards of two words each."""
    words = [[f"a{i}", f"b{i}"] for i in range(count)]
    return ShardPlan(words, {"inputs": "x", "model": "y"} | changes)


def expected(count: int) -> dict[str, str]:
    """The files of those shards."""
    return {f"{i:06d}.txt": f"{i} A{i} B{i}" for i in range(count)}


def written(folder: Path) -> dict[str, str]:
    """The shards of a folder."""
    return {path.name: path.read_text() for path in sorted(folder.glob("[0-9]*.txt"))}


@dataclass(frozen=True)
class SlowEncodeJob(EncodeJob):
    """Encoding that waits before each shard, and says which process has it.

    Attributes:
        seconds: Time that a shard takes more.
    """

    seconds: float = 0.0

    def read(self, shard: int) -> Iterator[WindowBatch]:
        time.sleep(self.seconds)
        yield from super().read(shard)


__all__: list[Any] = ["SlowEncodeJob", "WordsJob", "expected", "words_plan", "written"]
