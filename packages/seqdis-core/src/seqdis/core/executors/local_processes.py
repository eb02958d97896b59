"""Shards computed by processes of this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

import torch
from pydantic import Field

from seqdis.core.base_config import DEEPEST
from seqdis.core.device_choice import pick_device
from seqdis.core.executors.executor import Executor, ExecutorConfig
from seqdis.core.executors.process_pool import ProcessPool
from seqdis.core.executors.shard_job import ShardJob
from seqdis.core.executors.shard_work import work

__all__ = ["LocalConfig", "LocalExecutor"]

_MOST_BY_DEFAULT = 16
WORTH_MORE_PROCESSES = 30.0


class LocalConfig(ExecutorConfig):
    """The settings of processes on this machine."""

    processes: int | None = Field(
        None,
        ge=1,
        le=DEEPEST,
        description="processes that compute; when omitted one for each GPU, and on the CPU one for each core "
        "(at most 16) once half a minute of work is left",
    )


class LocalExecutor(Executor):
    """Processes of this machine: one for each GPU, or one for each core."""

    config_class = LocalConfig

    def device(self, name: str | None) -> str:
        chosen = pick_device(name)
        # Without a number it is any GPU here: each process takes its own.
        return "cuda" if chosen.type == "cuda" and name in (None, "cuda") else str(chosen)

    def run(self, job: ShardJob, shards: Sequence[int], *, workers: int = 0) -> Iterator[int]:
        wanted = self.config.processes
        if wanted is None and job.device == "cuda":
            wanted = torch.cuda.device_count()
        here = wanted == 1 or len(shards) <= 1 or job.device not in ("cpu", "cuda")
        if wanted is None and job.device == "cpu":
            cores = min(
                len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, _MOST_BY_DEFAULT
            )
            here, wanted = here or cores == 1, cores
            if not here:
                done = []
                for shard in _until_long(work(job, shards, workers=workers), len(shards)):
                    done.append(shard)
                    yield shard
                shards = sorted(set(shards) - set(done))
        if here or wanted is None:
            yield from work(job, shards, workers=workers)
        elif shards:
            with ProcessPool(
                job, min(wanted, len(shards)), workers=workers, losses=self.config.losses
            ) as pool:
                yield from pool.run(shards)


def _until_long(finished: Iterator[int], total: int) -> Iterator[int]:
    """Pass on what is finished until it shows that the rest is worth starting further processes."""
    started = time.monotonic()
    for done, shard in enumerate(finished, 1):
        yield shard
        if done == 1:  # the first one waits for the model
            started = time.monotonic()
            continue
        taken = (time.monotonic() - started) / (done - 1)
        if taken * (total - done) > WORTH_MORE_PROCESSES:
            return
