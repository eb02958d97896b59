from __future__ import annotations

import tokenize
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.folder_content import FolderContent, open_recordings
from seqdis.core.data.labels import Label
from seqdis.core.data.recording import Recording
from seqdis.core.data.settled_by_files import settled_by_files
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality

DATA = DataConfig(dataset="folder", length=4, frame_shape=(8,))


def write(path: Path, steps: int, *, width: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((steps, width), dtype=np.float32))
    return path


def opened(root: Path, data: DataConfig = DATA) -> FolderContent:
    toy = get_modality("toy")
    return open_recordings(toy, find_inputs(toy, [root]), data, root)


def test_keys_are_paths_below_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "b" / "c.npy", 4)
    assert [one.key for one in opened(tmp_path).recordings] == ["b/c.npy"]


def test_a_file_with_frames_of_another_shape_is_told_with_the_way_out(tmp_path: Path) -> None:
    write(tmp_path / "a.npy", 4, width=7)
    with pytest.raises(InputError, match=r"a\.npy: frames of shape \(7,\); the model takes \(8,\)$"):
        opened(tmp_path)


def test_all_damaged_files_are_told_at_once_or_left_out_with_their_reasons(tmp_path: Path) -> None:
    write(tmp_path / "a.npy", 4)
    for name in ("b.npy", "c.npy"):
        (tmp_path / name).write_bytes(b"no array")
    write(tmp_path / "d.npy", 4, width=3)
    message = (
        r"3 of 4 files cannot be used \(skip_bad=true, or --skip-bad, leaves them out\): .*b\.npy: cannot be read.*"
        r"; .*c\.npy: .*; .*d\.npy: frames of shape \(3,\); the model takes \(8,\)"
    )
    with pytest.raises(InputError, match=message):
        opened(tmp_path)
    content = opened(tmp_path, DATA.model_copy(update={"skip_bad": True}))
    assert [one.key for one in content.recordings] == ["a.npy"]
    assert [(left.path.name, left.reason) for left in content.left_out] == [
        ("b.npy", "damaged"),
        ("c.npy", "damaged"),
        ("d.npy", "damaged"),
    ]
    assert all(left.detail for left in content.left_out)


def test_recordings_below_the_least_length_are_left_out_and_counted(tmp_path: Path) -> None:
    for steps in (1, 2, 5):
        write(tmp_path / f"{steps}.npy", steps)
    content = opened(tmp_path)
    assert [one.steps for one in content.recordings] == [2, 5]
    assert [left.detail for left in content.left_out] == ["1.npy: 1 steps, min_length is 2"]
    with pytest.raises(InputError, match="no recording is left: 3 recordings too short"):
        opened(tmp_path, DATA.model_copy(update={"min_length": 6}))


def _several(monkeypatch: pytest.MonkeyPatch, clips: Sequence[Recording]) -> None:
    toy = get_modality("toy")
    monkeypatch.setattr(toy, "open", lambda path, data: [replace(c, key=path.name + c.key) for c in clips])


def test_recordings_of_one_file_are_named_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "sub" / "x.npy", 4)
    _several(monkeypatch, [Clip(torch.zeros(4, 8), f"#{name}", labels={"who": name}) for name in ("10", "9")])
    content = opened(tmp_path)
    assert [one.key for one in content.recordings] == ["sub/x.npy#10", "sub/x.npy#9"]
    assert content.labels == {"who": Label(("9", "10"), "static")}


def test_a_recording_without_the_labels_of_the_others_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.npy", 4)
    _several(monkeypatch, [Clip(torch.zeros(4, 8), "#a", labels={"who": "b"}), Clip(torch.zeros(4, 8), "#b")])
    with pytest.raises(InputError, match=r"x\.npy#b: labels none; those of x\.npy#a are \['who'\]"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "error", [tokenize.TokenError("EOF in multi-line statement"), KeyError("x"), OverflowError()]
)
def test_whatever_a_modality_throws_is_one_line_with_the_file(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "x.npy", 4)

    def throw(path: Path, data: DataConfig) -> None:
        raise error

    monkeypatch.setattr(type(get_modality("toy")), "read", lambda self, path, data: throw(path, data))
    with pytest.raises(InputError, match=r"x\.npy: cannot be read as a toy file: ") as refused:
        opened(tmp_path)
    assert "\n" not in str(refused.value)
    open_settings = DATA.model_copy(update={"frame_shape": ()})
    with pytest.raises(InputError, match=r"x\.npy: cannot be read as a toy file: "):
        settled_by_files(get_modality("toy"), open_settings, [tmp_path / "x.npy"])
