"""Shards of long work, and the engines that compute them: in local processes, on a Ray cluster, or by Slurm."""

from seqdis.core.executors.executor import Executor, ExecutorConfig, get_executor
from seqdis.core.executors.run_shards import run_shards
from seqdis.core.executors.shard_folder import ShardFolder
from seqdis.core.executors.shard_job import ShardJob, ShardPlan, ShardWorker

__all__ = [
    "Executor",
    "ExecutorConfig",
    "ShardFolder",
    "ShardJob",
    "ShardPlan",
    "ShardWorker",
    "get_executor",
    "run_shards",
]
