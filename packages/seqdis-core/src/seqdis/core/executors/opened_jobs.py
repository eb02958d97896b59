"""Groups of shards as tasks of an engine, in a process that may run many tasks."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from seqdis.core.errors import InputError
from seqdis.core.executors.shard_job import ShardJob, ShardWorker
from seqdis.core.executors.shard_work import work

__all__ = ["run_group"]


@functools.lru_cache(maxsize=1)
def _opened(job: ShardJob) -> ShardWorker:
    """Open a job, once for all tasks of this process."""
    return job.open()


def run_group(job: ShardJob, group: Sequence[int], workers: int) -> str | None:
    """Compute a group of shards; what is wrong with an input is returned, so that the engine does not try again.

    Args:
        job: The job that the shards belong to.
        group: Numbers of the shards; those that are there already are not computed again.
        workers: Number of processes that read ahead.
    """
    try:
        if any(not job.path(shard).is_file() for shard in group):
            for _ in work(job, group, workers=workers, worker=_opened(job)):
                pass
    except InputError as error:
        return str(error)
    return None
