from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from seqdis_toy import ToyModality
from torch import Tensor

from seqdis.core.analysis.file_windows import FileWindows, WindowBatch
from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.recording import Recording
from seqdis.core.errors import InputError


@dataclass
class Watched(ToyModality):
    """The toy modality, which notes what is opened; a file's name says how it gives the time."""

    opened: list[str] = field(default_factory=list)

    def open(self, path: Path, data: DataConfig) -> Sequence[Recording]:
        self.opened.append(path.name)
        clip = super().open(path, data)[0]
        assert isinstance(clip, Clip)
        count = np.arange(clip.steps)
        stamps = {"day": count.astype("M8[D]"), "number": count / 2}.get(path.stem.partition("-")[0])
        moves = np.array(["up", "down"])[count % 2]
        return [
            Clip(
                clip.frames,
                clip.key,
                labels={"who": path.stem},
                stamps=stamps,
                steps_labelled={"move": moves},
            )
        ]


def files(folder: Path, **steps: int) -> list[Path]:
    paths = []
    for name, count in steps.items():
        paths.append(folder / f"{name.replace('_', '-')}.npy")
        np.save(paths[-1], np.full((count, 8), count, dtype=np.float32) + np.arange(count)[:, None])
    return paths


def reader(folder: Path, batch_size: int = 4, **changes: object) -> FileWindows:
    data = DataConfig(dataset="folder", length=6, frame_shape=(8,)).model_copy(update=changes)
    return FileWindows(Watched(), data, folder, batch_size=batch_size)


def frames(batches: Sequence[WindowBatch]) -> Tensor:
    return torch.cat([batch.sequences.x for batch in batches if batch.sequences is not None])


def test_windows_of_several_files_share_a_batch(tmp_path: Path) -> None:
    paths = files(tmp_path, a=6, b=33, c=13, d=7)
    windows = reader(tmp_path)
    batches = list(windows.batches(paths))
    assert [batch.first for batch in batches] == [0, 4, 8]
    assert [len(batch.sequences.x) for batch in batches if batch.sequences is not None] == [4, 4, 1]
    keys = [key for batch in batches if batch.sequences is not None for key in batch.sequences.keys]
    assert keys == ["a.npy", *(f"b.npy@{i}" for i in range(0, 30, 6)), "c.npy@0", "c.npy@6", "d.npy"]
    assert np.concatenate([batch.labels["who"] for batch in batches]).tolist() == [*"abbbbbccd"]
    assert np.concatenate([batch.labels["move"] for batch in batches]).tolist() == [["up", "down"] * 3] * 9
    starts = frames(batches)[:, 0, 0].tolist()
    assert starts == [6, *range(33, 63, 6), 13, 19, 7]
    assert torch.equal(frames(batches), frames(list(reader(tmp_path, 2).batches(paths))))


def test_a_file_is_opened_when_its_turn_comes(tmp_path: Path) -> None:
    paths = files(tmp_path, a=24, b=24, c=24)
    windows = reader(tmp_path)
    batches = windows.batches(paths)
    next(batches)
    assert windows._modality.opened == ["a.npy"]  # type: ignore[attr-defined]
    next(batches)
    assert windows._modality.opened == ["a.npy", "b.npy"]  # type: ignore[attr-defined]


def test_recordings_that_give_time_in_another_way_begin_a_batch(tmp_path: Path) -> None:
    paths = files(tmp_path, day_1=6, day_2=4, number_1=6, none=6)
    batches = list(reader(tmp_path).batches(paths))
    kinds = [batch.sequences.stamps for batch in batches if batch.sequences is not None]
    assert [None if stamps is None else stamps.dtype.kind for stamps in kinds] == ["M", "f", None]
    assert [batch.first for batch in batches] == [0, 2, 3]
    assert batches[0].sequences is not None
    assert batches[0].sequences.mask is not None
    assert batches[0].sequences.mask.sum(1).tolist() == [6, 4]
    assert batches[0].labels["move"][1].tolist() == ["up", "down", "up", "down", "", ""]


def test_what_is_left_out_is_told_with_the_batch_that_follows(tmp_path: Path) -> None:
    paths = files(tmp_path, a=6, b=2, c=6, d=1)
    paths[2].write_bytes(b"damaged")
    batches = list(reader(tmp_path, min_length=3, skip_bad=True).batches(paths))
    assert len(batches) == 1
    assert [(left.path.name, left.reason) for left in batches[0].left_out] == [
        ("b.npy", "short"),
        ("c.npy", "damaged"),
        ("d.npy", "short"),
    ]
    alone = list(reader(tmp_path, min_length=3, skip_bad=True).batches(paths[1:]))
    assert [batch.sequences for batch in alone] == [None]
    assert len(alone[0].left_out) == 3
    with pytest.raises(InputError, match=r"c\.npy: cannot be read as npy"):
        list(reader(tmp_path).batches(paths))
