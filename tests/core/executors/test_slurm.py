from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from slow_shards import WordsJob, expected, words_plan, written

from seqdis.core.analysis.encode_data import encode_data
from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.executors import Executor, ShardFolder, ShardPlan, get_executor


def on_this_machine(**settings: Any) -> Executor:
    """Slurm's executor with submitit's stand-in for Slurm."""
    pytest.importorskip("submitit")
    return get_executor("slurm", {"cluster": "local", "tasks": 2, "poll": 0.2, "minutes": 5, **settings})


def claimed(job: WordsJob, plan: ShardPlan) -> ShardFolder:
    folder = ShardFolder(job, plan)
    folder.claim()
    return folder


@pytest.mark.full
def test_a_job_that_is_killed_is_run_again(tmp_path: Path) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu", deadly="b2"), words_plan(4))
    assert sorted(on_this_machine().run(folder.job, folder.missing())) == [*range(4)]
    assert len(list(tmp_path.glob("died-*"))) == 1
    assert written(folder.path) == expected(4)
    assert folder.job.logs.is_dir()
    folder.finish({})
    assert {path.name for path in folder.path.iterdir()} == {*expected(4), "index.json", "plan.json"}


@pytest.mark.full
def test_latents_are_those_of_one_process(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    encode_data(latent_config, toy_files, tmp_path / "shared", executor=on_this_machine(), batch_size=3)
    shards = {path.name: path.read_bytes() for path in toy_latents.glob("[0-9]*")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "shared").glob("[0-9]*")} == shards
    assert len(shards) == 14


@pytest.mark.full
def test_what_cannot_be_done_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu"), ShardPlan([["refused"]], {}))
    with pytest.raises(InputError, match=r"^refused: no word$"):
        list(on_this_machine().run(folder.job, folder.missing()))
    folder = claimed(WordsJob(tmp_path / "deadly", "cpu", deadly="a0", deaths=9), words_plan(1))
    with pytest.raises(
        InputError, match=r"shard 000000\.txt: its job .* ended 1 times without a result; see "
    ):
        list(on_this_machine(losses=0).run(folder.job, folder.missing()))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        InputError, match="there is no sbatch on this machine; start it where jobs are submitted"
    ):
        list(get_executor("slurm").run(folder.job, folder.missing()))


def test_gpus_of_a_job_decide_its_device() -> None:
    assert get_executor("slurm", {"gpus": 1}).device(None) == "cuda"
    executor = get_executor("slurm")
    assert executor.device(None) == "cpu"
    with pytest.raises(
        InputError, match="device 'cuda': the Slurm jobs have cpu; --executor-option gpus=1 asks"
    ):
        executor.device("cuda")


def test_submitit_is_named_where_it_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = claimed(WordsJob(tmp_path / "shards", "cpu"), words_plan(1))
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(
        InputError, match=r"the package submitit is not installed; pip install 'seqdis-core\[slurm\]'"
    ):
        list(get_executor("slurm").run(folder.job, folder.missing()))
