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


def test_a_recording_shorter_than_a_sequence_is_padded(tmp_path: Path, toy) -> None:
    write(tmp_path / "a.npy", 3)
    for split in ("train", "test"):
        batch = folder_sequences(toy, DATA, split, tmp_path).fetch([0])
        assert batch.mask is not None
        assert batch.mask.tolist() == [[True, True, True, False]]


def test_files_that_come_or_change_are_seen(tmp_path: Path, toy) -> None:
    write(tmp_path / "a.npy", 4, value=1)
    assert values(folder_sequences(toy, DATA, "train", tmp_path)) == {1}
    write(tmp_path / "a.npy", 8, value=2)
    write(tmp_path / "b.npy", 8, value=3)
    assert values(folder_sequences(toy, DATA, "train", tmp_path)) == {2, 3}


def test_the_windows_of_an_epoch_grow_with_the_recording_unless_stated(tmp_path: Path, toy) -> None:
    write(tmp_path / "a.npy", 1000)
    assert len(folder_sequences(toy, DATA, "train", tmp_path)) == 200
    stated = DATA.model_copy(update={"repeats": 3})
    assert len(folder_sequences(toy, stated, "train", tmp_path)) == 3
