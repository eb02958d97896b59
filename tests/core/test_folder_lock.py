"""One writer a folder: who is refused, what is said, and that the dead hold nothing."""

from __future__ import annotations

import errno
import logging
import os
import platform
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from seqdis.core import folder_lock
from seqdis.core.errors import InputError
from seqdis.core.folder_lock import FolderInUseError, holds_nothing, only_writer
from seqdis.core.leftovers import temporary_path
from seqdis.core.run_lock import run_around, writing_to

Hold = Callable[[Path], int]


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_the_second_process_is_told_in_one_line_who_writes(tmp_path: Path, held_elsewhere: Hold) -> None:
    folder = tmp_path / "run"
    child = held_elsewhere(folder)
    with pytest.raises(FolderInUseError) as caught, only_writer(folder):
        pytest.fail("two at a time")
    message = str(caught.value)
    assert message.startswith(f"{folder}: is being written to by process {child} on {platform.node()} (")
    assert "pytest" in message  # the command
    assert message.endswith("; wait until it has ended, or choose another folder (--out)")
    assert "\n" not in message


def test_a_killed_process_holds_nothing_and_its_files_go(tmp_path: Path, held_elsewhere: Hold) -> None:
    folder = tmp_path / "run"
    end(held_elsewhere(folder))
    assert {path.name for path in folder.iterdir()} == {".lock", ".lock-holder.json"}
    assert holds_nothing(folder)
    began = time.monotonic()
    with only_writer(folder):
        (folder / "result").write_text("")
    assert time.monotonic() - began < 1
    assert [path.name for path in folder.iterdir()] == ["result"]


def test_what_a_killed_process_had_forked_holds_nothing(tmp_path: Path) -> None:
    """Loader processes, for instance, outlive the training that was killed by some seconds."""
    folder = tmp_path / "run"
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with only_writer(folder):
            grandchild = os.fork()
            if grandchild:
                os.write(tell, grandchild.to_bytes(4, "big"))
            signal.pause()
    grandchild = int.from_bytes(os.read(ready, 4), "big")
    end(child)
    began = time.monotonic()
    try:
        with only_writer(folder):
            pass
        assert time.monotonic() - began < 5
    finally:
        os.kill(grandchild, signal.SIGKILL)


def test_a_forked_process_that_ends_leaves_the_lock_with_its_parent(tmp_path: Path) -> None:
    with only_writer(tmp_path / "run"):
        child = os.fork()
        if child == 0:
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                pass
            finally:
                with pytest.raises(FolderInUseError), only_writer(tmp_path / "run"):
                    os._exit(1)
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert (tmp_path / "run" / ".lock").exists()


def test_a_thread_may_ask_again_and_another_may_not(tmp_path: Path) -> None:
    refused: list[str] = []

    def ask() -> None:
        try:
            with only_writer(tmp_path / "run"):
                pass
        except FolderInUseError as error:
            refused.append(str(error))

    with only_writer(tmp_path / "run"), only_writer(tmp_path / "." / "run"):
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    assert len(refused) == 1
    assert f"process {os.getpid()} on" in refused[0]
    ask()
    assert len(refused) == 1


def test_a_folder_that_stays_empty_goes_again(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no good"), only_writer(tmp_path / "a" / "b"):
        raise InputError("no good")
    assert list(tmp_path.iterdir()) == []
    there = tmp_path / "there"
    there.mkdir()
    with only_writer(there):
        pass
    assert list(there.iterdir()) == []
    with only_writer(there, temporary=True):
        pass
    assert not there.exists()


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match=r"file: is a file; a folder is needed$"), only_writer(file):
        pass
    with pytest.raises(InputError, match=r"cannot be made: Not a directory$"), only_writer(file / "run"):
        pass


def test_where_the_file_system_has_no_locks_a_warning_stands_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: FileLock, **_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock.FileLock, "acquire", refuse)
    with caplog.at_level(logging.WARNING), only_writer(tmp_path / "run"):
        (tmp_path / "run" / "result").write_text("")
    assert "has no locks" in caplog.text
    monkeypatch.setattr(
        folder_lock.FileLock, "acquire", lambda self, **_: (_ for _ in ()).throw(OSError(30, "Read-only"))
    )
    with (
        pytest.raises(InputError, match=r"run: cannot be written: Read-only$"),
        only_writer(tmp_path / "run"),
    ):
        pass


def test_what_killed_writers_left_goes_and_what_others_have_locked_stays(
    tmp_path: Path, held_elsewhere: Hold
) -> None:
    child = os.fork()
    if child == 0:
        for path in (tmp_path / "a.json", tmp_path / "previews" / "p.png", tmp_path / "other" / "b.json"):
            path.parent.mkdir(exist_ok=True)
            temporary_path(path).mkdir()
        os._exit(0)
    os.waitpid(child, 0)
    held_elsewhere(tmp_path / "other")  # which removes what lies there
    live = temporary_path(tmp_path / "other" / "c.json")
    live.mkdir()
    far = tmp_path / "previews" / f".partial-q-{'0' * 8}-1-{'0' * 8}"  # by another machine
    far.mkdir()
    (tmp_path / "other" / far.name).mkdir()
    with only_writer(tmp_path):
        left = sorted(path.name for path in tmp_path.rglob("*") if path.name.startswith(".partial"))
    assert left == sorted([live.name, far.name])
    assert (tmp_path / "other" / far.name).exists()


def test_a_run_is_found_around_a_path(tmp_path: Path, toy_run: Path, held_elsewhere: Hold) -> None:
    assert run_around(toy_run / "eval" / "swap" / "metrics.json") == toy_run
    assert run_around(tmp_path / "x.json") is None
    step = tmp_path / "run" / "checkpoints" / "step-00000005"
    step.mkdir(parents=True)
    (step / "config.json").write_text((toy_run / "config.json").read_text())
    assert run_around(step / "swap") == tmp_path / "run"
    held_elsewhere(tmp_path / "run")
    with writing_to(tmp_path / "x.json", toy_run / "y.json"):
        pass
    with pytest.raises(FolderInUseError), writing_to(tmp_path / "x.json", step / "swap"):
        pass
