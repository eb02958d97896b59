from __future__ import annotations

import time
from pathlib import Path

import pytest
from slow_shards import WordsJob, expected, words_plan, written

from seqdis.core.errors import InputError
from seqdis.core.executors import ShardFolder, ShardPlan, get_executor, local_processes


def claimed(job: WordsJob, plan: ShardPlan) -> ShardFolder:
    folder = ShardFolder(job, plan)
    folder.claim()
    return folder


@pytest.mark.parametrize("workers", [0, 1])
def test_several_processes_leave_what_one_does(tmp_path: Path, workers: int) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu"), words_plan(9))
    executor = get_executor("local", {"processes": 2})
    assert sorted(executor.run(folder.job, folder.missing(), workers=workers)) == [*range(9)]
    assert written(folder.path) == expected(9)


def test_what_a_dead_process_had_is_run_again(tmp_path: Path) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu", deadly="b4", deaths=2), words_plan(9))
    executor = get_executor("local", {"processes": 2, "losses": 2})
    assert sorted(executor.run(folder.job, folder.missing())) == [*range(9)]
    assert len(list(tmp_path.glob("died-*"))) == 2
    assert written(folder.path) == expected(9)


def test_a_shard_that_kills_every_process_is_named(tmp_path: Path) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu", deadly="b1", deaths=9), words_plan(3))
    executor = get_executor("local", {"processes": 2, "losses": 1})
    with pytest.raises(InputError, match=r"died 2 times in shard 000001\.txt \(exit code -9"):
        list(executor.run(folder.job, folder.missing()))


def test_an_unusable_input_is_said_as_it_is(tmp_path: Path) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu"), ShardPlan([["one"], ["refused"], ["two"]], {}))
    with pytest.raises(InputError, match=r"^refused: no word$"):
        list(get_executor("local", {"processes": 2}).run(folder.job, folder.missing()))


def test_further_processes_start_once_it_pays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_processes.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    started: list[int] = []
    pool = local_processes.ProcessPool

    class Counted(pool):  # type: ignore[valid-type, misc]
        def __init__(self, job: WordsJob, count: int, *, workers: int, losses: int) -> None:
            started.append(count)
            super().__init__(job, count, workers=workers, losses=losses)

    monkeypatch.setattr(local_processes, "ProcessPool", Counted)
    folder = claimed(WordsJob(tmp_path / "quick", "cpu"), words_plan(9))
    assert sorted(get_executor("local").run(folder.job, folder.missing())) == [*range(9)]
    assert started == []
    monkeypatch.setattr(local_processes, "WORTH_MORE_PROCESSES", 0.1)
    folder = claimed(WordsJob(tmp_path / "slow", "cpu", seconds=0.05), words_plan(9))
    begun = time.monotonic()
    assert sorted(get_executor("local").run(folder.job, folder.missing())) == [*range(9)]
    assert started == [2]
    assert time.monotonic() - begun < 60
    assert written(folder.path) == expected(9)


def test_settings_are_checked() -> None:
    with pytest.raises(
        InputError, match=r"executor local: unknown key 'proceses' \(did you mean 'processes'"
    ):
        get_executor("local", {"proceses": 2})
    with pytest.raises(InputError, match="executor local: key 'processes' is 0"):
        get_executor("local", {"processes": 0})
    with pytest.raises(InputError, match="unknown executor 'dask'; allowed: local, ray, slurm"):
        get_executor("dask")


def test_devices_are_those_of_this_machine() -> None:
    executor = get_executor("local")
    assert executor.device("cpu") == "cpu"
    with pytest.raises(InputError, match="device 'tpu' is not on this machine"):
        executor.device("tpu")
