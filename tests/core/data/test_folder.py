from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdis.core.config import DataConfig
from seqdis.core.data.folder import folder_sequences
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality

DATA = DataConfig(dataset="folder", length=4, frame_shape=(8,))


@pytest.fixture
def toy():
    return get_modality("toy")


def write(path: Path, steps: int, *, value: float | None = None, width: int = 8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    x = np.arange(steps, dtype=np.float32) if value is None else np.full(steps, value, dtype=np.float32)
    np.save(path, np.repeat(x[:, None], width, axis=1))
    return path


def values(dataset) -> set[float]:
    return set(dataset.fetch(range(len(dataset))).x[..., 0].flatten().tolist())


def test_inputs_are_found_below_folders_in_order(tmp_path: Path, toy) -> None:
    paths = [write(tmp_path / name, 4) for name in ("a.npy", "b/c.NPY.npy", "b/d.npy")]
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / ".hidden.npy").write_text("")
    assert find_inputs(toy, [tmp_path]) == paths
    assert find_inputs(toy, [paths[2], paths[0]]) == [paths[2], paths[0]]


def test_inputs_that_cannot_be_read_are_told(tmp_path: Path, toy) -> None:
    with pytest.raises(InputError, match=r"absent: no such file or folder"):
        find_inputs(toy, [tmp_path / "absent"])
    with pytest.raises(InputError, match=r"holds no file that toy reads; known: \.npy"):
        find_inputs(toy, [tmp_path])
    (tmp_path / "x.doc").write_text("")
    with pytest.raises(InputError, match=r"x\.doc: unknown kind of file '\.doc'; toy reads: \.npy"):
        find_inputs(toy, [tmp_path / "x.doc"])


def test_keys_are_paths_below_the_folder(tmp_path: Path, toy) -> None:
    path = write(tmp_path / "b" / "c.npy", 4)
    assert read_clip(toy, path, DATA, tmp_path).key == "b/c.npy"
    assert read_clip(toy, path, DATA, path).key == "c.npy"
    assert read_clip(toy, path, DATA).key == "c.npy"


def test_frames_of_another_shape_are_refused(tmp_path: Path, toy) -> None:
    with pytest.raises(InputError, match=r"a\.npy: frames of shape \(7,\); the model takes \(8,\)"):
        read_clip(toy, write(tmp_path / "a.npy", 4, width=7), DATA)


def test_named_folders_are_the_splits(tmp_path: Path, toy) -> None:
    for value, split in enumerate(("train", "val", "test")):
        write(tmp_path / split / "a.npy", 6, value=value)
    for value, split in enumerate(("train", "val", "test")):
        assert values(folder_sequences(toy, DATA, split, tmp_path)) == {value}
    (tmp_path / "val" / "a.npy").unlink()
    (tmp_path / "val").rmdir()
    with pytest.raises(InputError, match="has a folder 'train' but none named 'val'"):
        folder_sequences(toy, DATA, "val", tmp_path)


def test_many_files_are_split_whole_and_stay_where_they_are_when_others_come(tmp_path: Path, toy) -> None:
    for i in range(60):
        write(tmp_path / f"{i}.npy", 4, value=i)
    before = {
        split: values(folder_sequences(toy, DATA, split, tmp_path)) for split in ("train", "val", "test")
    }
    assert set.union(*before.values()) == set(range(60))
    assert sum(map(len, before.values())) == 60
    assert len(before["train"]) > 36
    for i in range(60, 80):
        write(tmp_path / f"{i}.npy", 4, value=i)
    after = {
        split: values(folder_sequences(toy, DATA, split, tmp_path)) for split in ("train", "val", "test")
    }
    assert all(before[split] <= after[split] for split in before)


@pytest.mark.parametrize("count", [1, 9, *range(10, 20)])
def test_no_step_of_a_long_recording_is_in_two_splits(tmp_path: Path, toy, count: int) -> None:
    for i in range(count):
        path = tmp_path / f"clip{i}.npy"
        np.save(path, np.repeat((1000 * i + np.arange(100, dtype=np.float32))[:, None], 8, axis=1))
    data = DATA.model_copy(update={"repeats": 30})
    splits = {
        split: values(folder_sequences(toy, data, split, tmp_path)) for split in ("train", "val", "test")
    }
    assert all(splits.values())
    assert not splits["train"] & splits["val"]
    assert not splits["train"] & splits["test"]
    assert not splits["val"] & splits["test"]


def test_a_short_recording_serves_every_split(tmp_path: Path, toy) -> None:
    write(tmp_path / "a.npy", 5)
    assert len(folder_sequences(toy, DATA, "test", tmp_path)) == 1


def test_a_recording_shorter_than_a_sequence_is_told(tmp_path: Path, toy) -> None:
    write(tmp_path / "a.npy", 3)
    for split in ("train", "test"):
        with pytest.raises(InputError, match=r"a\.npy: has 3 steps; at least 4 are needed"):
            folder_sequences(toy, DATA, split, tmp_path)
