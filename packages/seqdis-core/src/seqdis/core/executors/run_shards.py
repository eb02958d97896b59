"""The missing shards of a job, computed by an executor or by the processes of one launch."""

from __future__ import annotations

from collections.abc import Iterator

from seqdis.core.errors import InputError
from seqdis.core.executors.executor import Executor
from seqdis.core.executors.shard_folder import ShardFolder
from seqdis.core.executors.shard_work import work
from seqdis.core.folder_lock import only_writer
from seqdis.core.processes import Processes, ReportedElsewhere
from seqdis.core.progress import Progress

__all__ = ["run_shards"]


def run_shards(
    folder: ShardFolder,
    executor: Executor,
    *,
    processes: Processes,
    workers: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> None:
    """Compute the shards that are missing; afterwards all are there.

    Where ``accelerate launch`` started several processes, they share the shards, and the executor is not asked.

    Args:
        folder: The job, its plan and its folder.
        executor: The engine that computes the shards.
        processes: The processes of this launch.
        workers: Number of processes that read ahead, for each that computes.
        force: Start over where the folder holds shards of another job.
        progress: Called with the number of shards that are there, and that of all.

    Raises:
        FolderInUseError: Another process writes into the folder.
        InputError: An input cannot be used, or the folder holds something else; shards that are finished stay, and the
            same call goes on with what is missing. Of several processes, the first says so, and the others raise
            :class:`ReportedElsewhere`.
    """
    lead = processes.is_first
    with processes.in_first(only_writer(folder.path, helped=True)):
        processes.together(lambda: folder.claim(force=force) if lead else None)
        missing = folder.missing()
        processes.gather(None)  # nobody finishes a shard while another still looks for those that are missing
        share = missing[processes.rank :: processes.count]
        finished = (
            executor.run(folder.job, share, workers=workers)
            if processes.count == 1
            else work(folder.job, share, workers=workers)
        )
        try:
            processes.together(lambda: _report(finished, len(share), progress))
            folder.check_complete()
        except ReportedElsewhere:
            raise
        except InputError as error:
            raise _with_what_is_kept(folder, error) from error


def _report(finished: Iterator[int], total: int, progress: Progress | None) -> None:
    for done, _ in enumerate(finished, 1):
        if progress is not None:
            progress(done, total)


def _with_what_is_kept(folder: ShardFolder, error: InputError) -> InputError:
    total = len(folder.plan.inputs)
    kept = total - len(folder.missing())
    if not kept:
        folder.clear()
        return error
    return InputError(
        f"{error}; {kept} of {total} shards are kept in {folder.path}, and the same command goes on from there"
    )
