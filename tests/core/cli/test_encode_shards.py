"""Encoding that was stopped, that leaves its shards, and that leaves out what cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

from seqdis.core.analysis.encode_job import EncodeJob
from seqdis.core.analysis.factor_shards import FactorShards
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors

Command = Callable[..., Result]
Refused = Callable[..., str]

WINDOWS = ["a.npy", "b.npy@0", "b.npy@6", "b.npy@12", "deep/c.npy@0", "deep/c.npy@6"]
"""The windows of the three recordings, of six steps each."""


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], list[int]]:
    """Let reading fail from a shard on, and list the shards that are read."""
    read, state = EncodeJob.read, {"at": -1}
    seen: list[int] = []

    def fail(self: EncodeJob, shard: int) -> object:
        if shard == state["at"]:
            raise KeyboardInterrupt
        seen.append(shard)
        return read(self, shard)

    monkeypatch.setattr(EncodeJob, "read", fail)

    def at(shard: int | None) -> list[int]:
        state["at"] = -1 if shard is None else shard
        seen.clear()
        return seen

    return at


@pytest.mark.parametrize("name", ["f.safetensors", "f.npz", "f.csv", "folder"])
def test_the_same_command_goes_on_after_it_was_stopped(
    seqdis: Command,
    toy_run: Path,
    recordings: Path,
    tmp_path: Path,
    name: str,
    stopped: Callable[[int | None], list[int]],
) -> None:
    if name.endswith(".csv"):
        pytest.importorskip("pandas")
    words = ["encode", toy_run, recordings, "--device", "cpu", "--out"]
    assert seqdis(*words, tmp_path / "whole" / name).exit_code == 0
    stopped(2)
    assert seqdis(*words, tmp_path / name).exit_code == 130
    assert not (tmp_path / name).is_file()
    seen = stopped(None)
    assert seqdis(*words, tmp_path / name).exit_code == 0
    assert seen == [2]
    left = {
        p.relative_to(tmp_path / "whole"): p.read_bytes()
        for p in (tmp_path / "whole").rglob("*.*")
        if p.is_file()
    }
    for path, content in left.items():
        assert (tmp_path / path).read_bytes() == content
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 2 * len(left)


def test_a_folder_of_shards_is_read_whole_or_piece_by_piece(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out, single = tmp_path / "shards", tmp_path / "f.safetensors"
    for target in (out, single):
        assert seqdis("encode", toy_run, recordings, "--out", target, "--device", "cpu").exit_code == 0
    index = json.loads((out / "index.json").read_text())
    assert index["sequences"] == 6
    assert (index["static_shape"], index["dynamic_shape"]) == ([8], [6, 2])
    assert index["contents"][1] == {
        "file": "000001.safetensors",
        "sequences": 3,
        "first": "b.npy@0",
        "last": "b.npy@12",
    }
    shards = FactorShards.open(out)
    assert [len(part) for part in shards] == [1, 3, 2]
    shards.load().save(tmp_path / "joined.safetensors")
    assert (tmp_path / "joined.safetensors").read_bytes() == single.read_bytes()
    (out / "index.json").write_text(json.dumps(index | {"finished": False}))
    with pytest.raises(InputError, match="3 of 3 shards are there; the same seqdis encode goes on"):
        FactorShards.open(out)


def test_shards_of_another_model_or_of_other_files_are_not_mixed(
    seqdis: Command, refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out, files = tmp_path / "shards", tmp_path / "files"
    shutil.copytree(recordings, files)
    words = ["encode", toy_run, files, "--out", out, "--device", "cpu"]
    assert seqdis(*words).exit_code == 0
    assert refused(*words, "--stride", 2).startswith(f"{out}: holds shards made from other settings; --force")
    np.save(files / "a.npy", np.ones((7, 8), dtype=np.float32))
    assert refused(*words).startswith(f"{out}: holds shards made from other inputs; --force starts over")
    run = tmp_path / "run"
    shutil.copytree(toy_run, run)
    with (run / "config.json").open("a") as file:
        file.write("\n")
    assert "made from other model and inputs" in refused(
        "encode", run, files, "--out", out, "--device", "cpu"
    )
    assert seqdis(*words, "--force", "--stride", 2).exit_code == 0
    assert FactorShards.open(out).description.keys[:2] == ("a.npy@0", "a.npy@2")


def test_a_damaged_file_stops_the_work_or_is_left_out_and_listed(
    seqdis: Command, refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    files, out = tmp_path / "files", tmp_path / "f.safetensors"
    shutil.copytree(recordings, files)
    damaged = files / "bad.npy"
    damaged.write_bytes((files / "a.npy").read_bytes()[:-50])
    np.save(files / "tiny.npy", np.zeros((1, 8), dtype=np.float32))
    words = ["encode", toy_run, files, "--out", out, "--device", "cpu"]
    said = refused(*words)
    assert said.startswith(f"{damaged}: cannot be read as npy")
    assert said.endswith(
        "; --skip-bad leaves out what cannot be used; 2 of 5 shards are kept in "
        f"{tmp_path / '.f.safetensors.shards'}, and the same command goes on from there"
    )
    result = seqdis(*words, "--skip-bad")
    assert result.exit_code == 0, result.output
    assert list(Factors.load(out).keys) == WINDOWS
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.safetensors", "files"]


def test_where_nothing_is_left_the_reasons_are_said(refused: Refused, toy_run: Path, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny.npy"
    np.save(tiny, np.zeros((1, 8), dtype=np.float32))
    said = refused("encode", toy_run, tiny, "--out", tmp_path / "f.npz", "--device", "cpu")
    assert said == (
        f"no recording is left: 1 recordings too short: {tiny} (tiny.npy: 1 steps, min_length is 2)"
    )


def test_the_last_steps_are_a_padded_window_unless_they_are_not_wanted(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "f.safetensors"
    words = ["encode", toy_run, recordings / "b.npy", "--out", out, "--device", "cpu"]
    assert seqdis(*words).exit_code == 0
    factors = Factors.load(out)
    assert list(factors.keys) == ["b.npy@0", "b.npy@6", "b.npy@12"]
    assert factors.mask is not None
    assert factors.mask.sum(1).tolist() == [6, 6, 3]
    assert seqdis(*words, "--no-tail").exit_code == 0
    assert list(Factors.load(out).keys) == ["b.npy@0", "b.npy@6"]


def test_labels_of_a_folder_are_in_the_tables(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    files = tmp_path / "files"
    shutil.copytree(recordings, files)
    clips = {"a.npy": "ann", "b.npy": "bob", "deep/c.npy": "ann"}
    (files / "labels.json").write_text(
        json.dumps({"labels": {"who": "static"}, "clips": {k: {"who": v} for k, v in clips.items()}})
    )
    out = tmp_path / "f.csv"
    result = seqdis("encode", toy_run, files, "--out", out, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"{tmp_path / 'f.static.csv'}, {tmp_path / 'f.dynamic.csv'}: 6 sequences, static 8, dynamic 6x2\n"
    )
    static, dynamic = (pandas.read_csv(tmp_path / f"f.{side}.csv") for side in ("static", "dynamic"))
    assert static["key"].tolist() == WINDOWS
    assert static["who"].tolist() == ["ann", "bob", "bob", "bob", "ann", "ann"]
    assert [*static.columns] == ["key", *(f"static_{i}" for i in range(8)), "who"]
    assert [*dynamic.columns] == ["key", "step", "dynamic_0", "dynamic_1", "who"]
    assert len(dynamic) == 6 + 15 + 7


@pytest.mark.full
def test_several_processes_and_readers_leave_the_same_bytes(
    seqdis: Command, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    one, other = tmp_path / "one.safetensors", tmp_path / "other.safetensors"
    words = ["encode", toy_run, recordings, "--device", "cpu", "--out"]
    assert seqdis(*words, one).exit_code == 0
    result = seqdis(*words, other, "--workers", 1, "--executor-option", "processes=2")
    assert result.exit_code == 0, result.output
    assert one.read_bytes() == other.read_bytes()


def test_an_executor_that_is_not_there(
    refused: Refused, toy_run: Path, recordings: Path, tmp_path: Path
) -> None:
    words = ["encode", toy_run, recordings, "--out", tmp_path / "f.npz", "--executor", "dask"]
    assert refused(*words) == "unknown executor 'dask'; allowed: local, ray, slurm"
