"""Shards computed on a Ray cluster."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from seqdis.core.base_config import DEEPEST
from seqdis.core.errors import InputError
from seqdis.core.executors.executor import Executor, ExecutorConfig, groups_of
from seqdis.core.executors.opened_jobs import run_group
from seqdis.core.executors.shard_job import ShardJob

__all__ = ["RayConfig", "RayExecutor"]


class RayConfig(ExecutorConfig):
    """The settings of a Ray cluster."""

    address: str | None = Field(
        None,
        description="address of the cluster; when omitted $RAY_ADDRESS, else the cluster that runs on this machine, "
        "else one that is started here and ends with the command",
    )
    cpus: float | None = Field(
        None,
        gt=0,
        le=DEEPEST,
        description="cores that a task asks for; one, and one for each process that reads ahead, if omitted",
    )
    gpus: float = Field(
        1, gt=0, le=DEEPEST, description="GPUs that a task on a GPU asks for; 0.5 puts two tasks on one"
    )


class RayExecutor(Executor):
    """A Ray cluster: a GPU a task, or a core a task; needs `pip install 'seqdis-core[ray]'`."""

    config_class = RayConfig

    def device(self, name: str | None) -> str:
        if name is not None and name not in ("cpu", "cuda"):
            raise InputError(f"device {name!r}: Ray gives each task its device; allowed: cpu, cuda")
        has_gpus = self._connect().cluster_resources().get("GPU", 0) > 0
        if name == "cuda" and not has_gpus:
            raise InputError("device 'cuda': the Ray cluster has no GPU; allowed: cpu")
        return name or ("cuda" if has_gpus else "cpu")

    def run(self, job: ShardJob, shards: Sequence[int], *, workers: int = 0) -> Iterator[int]:
        if not shards:
            return
        ray = self._connect()
        needs = {"num_cpus": self.config.cpus or 1 + workers}
        if job.device == "cuda":
            needs["num_gpus"] = self.config.gpus
        # A process is used for one task after another, so that each loads the model once.
        task = ray.remote(max_retries=self.config.losses, max_calls=0, **needs)(run_group)
        places = _places(ray.cluster_resources(), needs)
        waiting = {task.remote(job, group, workers): group for group in groups_of(shards, places)}
        try:
            while waiting:
                (reference,), _ = ray.wait(list(waiting), num_returns=1)
                group = waiting.pop(reference)
                try:
                    refused = ray.get(reference)
                except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
                    raise InputError(
                        f"shard {job.path(group[0]).name}: its task was lost {self.config.losses + 1} times, "
                        f"at last by {type(error).__name__}; --executor-option losses=N allows more"
                    ) from error
                if refused is not None:
                    raise InputError(refused)
                yield from group
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)

    def _connect(self) -> Any:
        """The library, connected to the cluster."""
        try:
            import ray
        except ImportError as error:
            raise InputError(
                "executor ray: the package ray is not installed; pip install 'seqdis-core[ray]'"
            ) from error
        if not ray.is_initialized():
            try:
                ray.init(address=self.config.address, log_to_driver=False, logging_level=logging.ERROR)
            except (ConnectionError, RuntimeError, ValueError) as error:
                where = self.config.address or "the one of $RAY_ADDRESS or of this machine"
                raise InputError(f"executor ray: no cluster answers at {where}: {error}") from error
        return ray


def _places(resources: dict[str, float], needs: dict[str, float]) -> int:
    """The number of tasks that the cluster runs at a time as it is now."""
    fits = [
        resources.get(key.removeprefix("num_").rstrip("s").upper(), 0) / amount
        for key, amount in needs.items()
    ]
    return max(1, int(min(fits)))
