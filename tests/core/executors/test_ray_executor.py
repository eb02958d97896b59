from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slow_shards
from slow_shards import SlowEncodeJob, WordsJob, words_plan

from seqdis.core.analysis.encode_data import encode_data
from seqdis.core.analysis.encode_job import plan_encoding
from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.executors import ShardFolder, ShardPlan, get_executor
from seqdis.core.executors.shard_work import work


def encoding(run: Path, inputs: Path, folder: Path, *, seconds: float = 0.0) -> ShardFolder:
    """The claimed folder of an encoding of all files below ``inputs``."""
    paths = sorted(inputs.glob("*.npy"))
    job = SlowEncodeJob(
        folder=folder, device="cpu", model=run, root=inputs, length=6, files=len(paths), seconds=seconds
    )
    shards = ShardFolder(job, plan_encoding(job, paths))
    shards.claim()
    return shards


def contents(folder: ShardFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.glob("[0-9]*.safetensors")}


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Twelve recordings, which are twelve shards."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(12):
        np.save(folder / f"{i:02d}.npy", rng.normal(size=(6 + 5 * (i % 3), 8)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head and a second node of one core each, on this machine."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    # Nodes start their processes in the environment that they are started in.
    toy = str(Path(slow_shards.__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join([toy, *filter(None, [os.environ.get("PYTHONPATH")])]))
        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            made.second = made.add_node(num_cpus=1)
            yield made
        finally:
            ray.shutdown()
            made.shutdown()


@pytest.mark.full
def test_a_node_that_is_killed_halfway_changes_no_byte(
    cluster: Any, toy_run: Path, inputs: Path, tmp_path: Path
) -> None:
    alone = encoding(toy_run, inputs, tmp_path / "alone")
    assert sorted(work(alone.job, alone.missing())) == [*range(12)]
    shared = encoding(toy_run, inputs, tmp_path / "shared", seconds=0.5)
    executor = get_executor("ray", {"address": cluster.address})
    assert executor.device(None) == "cpu"
    done = []
    for number in executor.run(shared.job, shared.missing()):
        done.append(number)
        if len(done) == 4:
            cluster.remove_node(cluster.second, allow_graceful=False)
    assert sorted(done) == [*range(12)]
    assert len(cluster.list_all_nodes()) == 1
    assert contents(shared) == contents(alone)


@pytest.mark.full
def test_latents_are_those_of_one_process(
    cluster: Any, latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    executor = get_executor("ray", {"address": cluster.address})
    encode_data(latent_config, toy_files, tmp_path / "shared", executor=executor, batch_size=3)
    shards = {path.name: path.read_bytes() for path in toy_latents.glob("[0-9]*")}
    assert {path.name: path.read_bytes() for path in (tmp_path / "shared").glob("[0-9]*")} == shards
    assert len(shards) == 14


@pytest.mark.full
def test_what_ray_cannot_do_is_said_in_a_line(cluster: Any, tmp_path: Path) -> None:
    executor = get_executor("ray", {"address": cluster.address, "losses": 0})
    with pytest.raises(InputError, match="device 'cuda': the Ray cluster has no GPU; allowed: cpu"):
        executor.device("cuda")
    with pytest.raises(InputError, match="device 'cuda:1': Ray gives each task its device"):
        executor.device("cuda:1")
    refused = ShardFolder(WordsJob(tmp_path / "words", "cpu"), ShardPlan([["one"], ["refused"]], {}))
    refused.claim()
    with pytest.raises(InputError, match=r"^refused: no word$"):
        list(executor.run(refused.job, refused.missing()))
    deadly = ShardFolder(WordsJob(tmp_path / "deadly", "cpu", deadly="a0", deaths=9), words_plan(1))
    deadly.claim()
    with pytest.raises(
        InputError, match=r"shard 000000\.txt: its task was lost 1 times, at last by WorkerCrashed"
    ):
        list(executor.run(deadly.job, deadly.missing()))


def test_ray_is_named_where_it_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        InputError, match=r"executor ray: the package ray is not installed; pip install 'seqdis-core\[ray\]'"
    ):
        get_executor("ray").device(None)
