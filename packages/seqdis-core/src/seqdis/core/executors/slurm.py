"""Shards computed by an array of Slurm jobs, through submitit."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import Field

from seqdis.core.base_config import DEEPEST, LONGEST, WIDEST
from seqdis.core.errors import InputError
from seqdis.core.executors.executor import Executor, ExecutorConfig, groups_of
from seqdis.core.executors.opened_jobs import run_group
from seqdis.core.executors.shard_job import ShardJob

__all__ = ["SlurmConfig", "SlurmExecutor"]


class SlurmConfig(ExecutorConfig):
    """The settings of Slurm jobs."""

    cluster: Literal["slurm", "local"] = Field(
        "slurm", description="local: processes of this machine, to try it out"
    )
    tasks: int = Field(16, ge=1, le=WIDEST, description="jobs of the array that run at a time")
    gpus: int = Field(0, ge=0, le=1, description="GPUs of a job; 1 computes on cuda")
    cpus: int | None = Field(
        None,
        ge=1,
        le=DEEPEST,
        description="cores of a job; one, and one for each process that reads ahead, if omitted",
    )
    memory_gb: float = Field(16, gt=0, le=WIDEST, description="memory of a job in GB")
    minutes: int = Field(240, ge=1, le=LONGEST, description="longest time of a job in minutes")
    partition: str | None = Field(None, description="the partition; the site's default when omitted")
    more: dict[str, Any] = Field(
        default_factory=dict, description="further parameters of sbatch, as account or qos"
    )
    poll: float = Field(5.0, gt=0, le=3600, description="seconds from one look at the jobs to the next")


class SlurmExecutor(Executor):
    """An array of Slurm jobs; needs `pip install 'seqdis-core[slurm]'`."""

    config_class = SlurmConfig

    def device(self, name: str | None) -> str:
        here = "cuda" if self.config.gpus else "cpu"
        if name not in (None, here):
            hint = "; --executor-option gpus=1 asks for one" if name == "cuda" else ""
            raise InputError(f"device {name!r}: the Slurm jobs have {here}{hint}")
        return here

    def run(self, job: ShardJob, shards: Sequence[int], *, workers: int = 0) -> Iterator[int]:
        if not shards:
            return
        executor = self._executor(job, workers)
        lost, queue = Counter[int](), groups_of(shards, self.config.tasks)
        running: list[tuple[Any, list[int]]] = []
        # Slurm holds back what is beyond `tasks` itself; on this machine all would start at once.
        most = len(queue) if self.config.cluster == "slurm" else self.config.tasks
        try:
            while queue or running:
                if new := queue[: max(0, most - len(running))]:
                    queue = queue[len(new) :]
                    tasks = executor.map_array(_Group(), [job] * len(new), new, [workers] * len(new))
                    running += zip(tasks, new, strict=True)
                ended = [(task, group) for task, group in running if task.done()]
                running = [(task, group) for task, group in running if (task, group) not in ended]
                for task, group in ended:
                    if (error := task.exception()) is not None:
                        lost[group[0]] += 1
                        if lost[group[0]] > self.config.losses:
                            raise InputError(
                                f"shard {job.path(group[0]).name}: its job {task.job_id} ended {lost[group[0]]} times "
                                f"without a result; see {task.paths.stderr}"
                            ) from error
                        queue.append(group)
                    elif (refused := task.result()) is not None:
                        raise InputError(refused)
                    else:
                        yield from group
                if not ended:
                    time.sleep(self.config.poll)
        finally:
            for task, _ in running:
                task.cancel()

    def _executor(self, job: ShardJob, workers: int) -> Any:
        """The library's executor, told what a job asks for."""
        try:
            import submitit
        except ImportError as error:
            raise InputError(
                "executor slurm: the package submitit is not installed; pip install 'seqdis-core[slurm]'"
            ) from error
        config: SlurmConfig = self.config
        if config.cluster == "slurm" and shutil.which("sbatch") is None:
            raise InputError(
                "executor slurm: there is no sbatch on this machine; start it where jobs are submitted"
            )
        executor = submitit.AutoExecutor(folder=job.logs, cluster=config.cluster)
        needs: dict[str, Any] = {
            "name": f"seqdis-{job.name}",
            "timeout_min": config.minutes,
            "cpus_per_task": config.cpus or 1 + workers,
            "gpus_per_node": config.gpus,
            "mem_gb": config.memory_gb,
            "slurm_array_parallelism": config.tasks,
        }
        if config.partition is not None:
            needs["slurm_partition"] = config.partition
        if config.more:
            needs["slurm_additional_parameters"] = config.more
        executor.update_parameters(**needs)
        return executor


class _Group:
    """A group of shards as a task that is queued again, with what it lacks, where Slurm preempts it."""

    def __call__(self, job: ShardJob, group: Sequence[int], workers: int) -> str | None:
        return run_group(job, group, workers)

    def checkpoint(self, *arguments: Any) -> Any:
        """Tell submitit to queue the same again, for shards that are there are not computed twice."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, *arguments)
