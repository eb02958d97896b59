from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seqdis.core import files
from seqdis.core.errors import InputError
from seqdis.core.files import replace_directory, replace_file, replace_with_json, replace_with_tensors


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def write(path: Path, text: str, *, fail: BaseException | None = None) -> None:
    with replace_file(path) as partial:
        partial.write_text(text)
        if fail:
            raise fail


def fill(path: Path, text: str, *, fail: BaseException | None = None) -> None:
    with replace_directory(path) as partial:
        (partial / "inner").mkdir()
        (partial / "inner" / "file").write_text(text)
        if fail:
            raise fail


def test_a_file_takes_its_place_at_the_end_and_keeps_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    with replace_file(path) as partial:
        assert partial.suffix == ".json"
        assert not path.exists()
        partial.write_text("x")
    assert path.read_text() == "x"
    assert names(path.parent) == ["a.json"]


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    write(tmp_path / "a", "old")
    with pytest.raises(type(error)):
        write(tmp_path / "a", "new", fail=error)
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_file_has_the_permissions_of_the_process(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_directory_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    fill(tmp_path / "d", "old")
    (tmp_path / "d" / "stale").write_text("")
    fill(tmp_path / "d", "new")
    assert names(tmp_path) == ["d"]
    assert names(tmp_path / "d") == ["inner"]
    assert (tmp_path / "d" / "inner" / "file").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_directory_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    fill(tmp_path / "d", "old")
    with pytest.raises(type(error)):
        fill(tmp_path / "d", "new", fail=error)
    assert names(tmp_path) == ["d"]
    assert (tmp_path / "d" / "inner" / "file").read_text() == "old"


def test_what_was_moved_aside_comes_back_when_the_last_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "d", "old")
    rename = Path.rename

    def fail_for_partial(self: Path, target: Path) -> Path:
        if self.name.startswith(".partial"):
            full_disk()
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_for_partial)
    with pytest.raises(InputError, match="No space left on device"):
        fill(tmp_path / "d", "new")
    assert names(tmp_path) == ["d"]
    assert (tmp_path / "d" / "inner" / "file").read_text() == "old"


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.os, "fsync", full_disk)
    for action in (
        lambda: write(tmp_path / "a", "x"),
        lambda: fill(tmp_path / "a", "x"),
        lambda: replace_with_json(tmp_path / "a", {}),
        lambda: replace_with_tensors(tmp_path / "a", {"x": torch.zeros(2)}, {}),
    ):
        with pytest.raises(InputError) as caught:
            action()
        assert str(caught.value) == f"{tmp_path / 'a'}: cannot be written: No space left on device"
        assert names(tmp_path) == []


def test_a_full_disk_inside_of_the_tensor_writer_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "save_file", full_disk)
    with pytest.raises(InputError, match=r"cannot be written: .*No space left on device"):
        replace_with_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(2)}, {})
    assert names(tmp_path) == []


def test_a_parent_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    for path in (tmp_path / "a" / "b", tmp_path / "a" / "b" / "c"):
        with pytest.raises(InputError, match="cannot be written"):
            write(path, "x")
        with pytest.raises(InputError, match="cannot be written"):
            fill(path, "x")


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: x is nan; only finite numbers are written"):
        replace_with_json(tmp_path / "a.json", {"x": float("nan")})
    assert names(tmp_path) == []
    replace_with_json(tmp_path / "a.json", {"x": [1, None]})
    assert json.loads((tmp_path / "a.json").read_text()) == {"x": [1, None]}


def test_tensors_that_share_memory_or_are_views_are_written(tmp_path: Path) -> None:
    x = torch.arange(6.0).view(2, 3)
    tensors = {"a": x, "b": x, "t": x.T, "e": x[:1].expand(4, 3), "p": torch.nn.Parameter(x)}
    replace_with_tensors(tmp_path / "x.safetensors", tensors, {"format": "pt"})
    loaded = load_file(tmp_path / "x.safetensors")
    assert all(torch.equal(loaded[name], value) for name, value in tensors.items())


def test_a_file_may_be_read_by_whom_new_files_may_be_read_by(tmp_path: Path) -> None:
    replace_with_tensors(tmp_path / "a.safetensors", {"x": torch.zeros(2)}, {})
    replace_with_json(tmp_path / "a.json", {})
    (tmp_path / "plain").touch()
    modes = {path.name: path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(set(modes.values())) == 1, modes


def test_what_a_writer_leaves_beside_its_file_does_not_stay(tmp_path: Path) -> None:
    with replace_file(tmp_path / "a.txt") as partial:
        partial.write_text("whole")
        partial.with_name(".tmp").write_text("rest")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
