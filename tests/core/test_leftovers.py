"""Nothing is lost and nothing is left, whenever a process is killed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from killed import in_a_fork, kills
from slow_shards import WordsJob, expected, words_plan

from seqdis.core.data.preparation import prepare_folder
from seqdis.core.executors import ShardFolder, get_executor, run_shards
from seqdis.core.files import remove_directory, replace_directory, replace_file
from seqdis.core.folder_lock import only_writer
from seqdis.core.leftovers import is_alive, machine, remove_leftovers, temporary_path
from seqdis.core.processes import Processes
from seqdis.core.registry import get_modality

SOME_OR_ALL = pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.full)])


def fill(path: Path, text: str) -> None:
    with replace_directory(path) as partial:
        (partial / "inner").mkdir()
        (partial / "inner" / "file").write_text(text)


def write(path: Path, text: str) -> None:
    with replace_file(path) as partial:
        partial.write_text(text)


def content(folder: Path) -> dict[str, str]:
    """The text of every file below a folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def test_a_file_is_the_old_or_the_new_one_and_the_next_write_removes_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "f"

    def old() -> None:
        empty(folder)
        (folder / "a.txt").write_text("old")

    seen = set()
    for _ in kills(lambda: write(folder / "a.txt", "new"), before=old):
        seen.add((folder / "a.txt").read_text())
        assert in_a_fork(lambda: write(folder / "b.txt", "other"))
        assert {path.name for path in folder.iterdir()} == {"a.txt", "b.txt"}
    assert seen == {"old", "new"}


def test_a_folder_is_the_old_or_the_new_one_as_soon_as_somebody_has_the_lock(tmp_path: Path) -> None:
    folder, seen = tmp_path / "f", set()

    def old() -> None:
        empty(folder)
        fill(folder / "d", "old")

    def sweep() -> None:
        with only_writer(folder):
            pass

    for _ in kills(lambda: fill(folder / "d", "new"), before=old):
        assert in_a_fork(sweep)
        (text,) = content(folder).values()
        assert list(content(folder)) == ["d/inner/file"]
        seen.add(text)
        # Without a lock, the next write beside it does the same.
        assert in_a_fork(lambda: fill(folder / "d", "newest"))
        assert content(folder) == {"d/inner/file": "newest"}
    assert seen == {"old", "new"}


def test_a_folder_that_is_removed_is_whole_or_gone(tmp_path: Path) -> None:
    folder, seen = tmp_path / "f", set()

    def old() -> None:
        empty(folder)
        fill(folder / "d", "old")
        fill(folder / "other", "old")

    for _ in kills(lambda: remove_directory(folder / "d"), before=old):
        assert in_a_fork(lambda: fill(folder / "other", "new"))
        seen.add(tuple(sorted(content(folder))))
    assert seen == {("d/inner/file", "other/inner/file"), ("other/inner/file",)}


@SOME_OR_ALL
def test_shards_that_are_joined_leave_the_result_and_nothing_else(tmp_path: Path, every: int) -> None:
    folder = tmp_path / "f"
    shards = ShardFolder(WordsJob(folder / ".shards", "cpu"), words_plan(2))

    def join() -> None:
        processes = Processes(cpu=True)
        with processes.in_first(only_writer(shards.path, temporary=True)):
            run_shards(shards, get_executor("local", {"processes": 1}), processes=processes)
            shards.finish({})
            write(folder / "result", "".join(path.read_text() for path in sorted(shards.path.glob("0*"))))
            shards.clear()

    for _ in kills(join, before=lambda: empty(folder), every=every):
        assert in_a_fork(join)
        assert content(folder) == {"result": "".join(expected(2).values())}
        assert [path.name for path in folder.iterdir()] == ["result"]


@SOME_OR_ALL
def test_files_that_are_prepared_go_on_after_every_kill(tmp_path: Path, every: int) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a", "b"):
        np.save(source / f"{name}.npy", np.ones((4, 8), dtype=np.float32))

    def prepare() -> None:
        result = prepare_folder(get_modality("toy"), source, out, {}, workers=1)
        assert result.failed == ()

    for _ in kills(prepare, before=lambda: shutil.rmtree(out, ignore_errors=True), every=every):
        assert in_a_fork(prepare)
        names = sorted(path.name for path in out.iterdir())
        assert names == ["a.npy", "b.npy", "prepared.jsonl"]
        assert all(len(np.load(out / name)) == 2 for name in names[:2])


def test_only_what_is_known_to_be_dead_goes_without_a_lock(tmp_path: Path) -> None:
    mine = temporary_path(tmp_path / "a.txt")
    far = tmp_path / mine.name.replace(machine(), "0" * 8)
    dead = tmp_path / mine.name.replace(f"-{os.getpid()}-", f"-{2**22 + 1}-")  # Linux counts to 2²²
    other = tmp_path / ".partial-notes.txt"
    for path in (mine, far, dead, other):
        path.mkdir()
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([mine, far, other])
    remove_leftovers(tmp_path, targets=["b.txt"], held=True)
    assert far.exists()
    remove_leftovers(tmp_path, targets=["a.txt"], held=True)
    assert sorted(tmp_path.iterdir()) == sorted([mine, other])


def test_a_process_that_was_killed_is_dead_before_its_parent_has_asked(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert not is_alive(child)
    os.waitpid(child, 0)
    assert not is_alive(child)
    assert is_alive(os.getpid())


@pytest.mark.parametrize("name", ["ä" * 120 + ".png", "n" * 251 + ".png", "a.b.c"])
def test_names_as_long_as_they_may_be_can_be_written(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, "x")
    assert [path.name for path in tmp_path.iterdir()] == [name]
