"""Stochastic Moving MNIST: digits whose ways obey the rules of the game."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset
from seqdis.video.datasets import smmnist
from seqdis.video.datasets.smmnist import COUNTS, LABELS, bounce, build_smmnist, read_idx


def _data(*frame: int, length: int = 15) -> DataConfig:
    return DataConfig(dataset="smmnist", length=length, frame_shape=frame or (1, 64, 64))


def _write_idx(path: Path, values: np.ndarray, *, packed: bool = False) -> None:
    content = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    content += values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if packed else content)


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten digits a part, digit k a block of brightness 20·(k + 1); few sequences, for speed."""
    for part in ("train", "t10k"):
        images = np.zeros((10, 28, 28), dtype=np.uint8)
        images[:, 4:24, 4:24] = 20 * (1 + np.arange(10))[:, None, None] + (part == "t10k")
        _write_idx(tmp_path / f"{part}-images-idx3-ubyte.gz", images, packed=True)
        _write_idx(tmp_path / f"{part}-labels-idx1-ubyte", np.arange(10))
    monkeypatch.setattr(smmnist, "COUNTS", {"train": 60, "test": 40})
    monkeypatch.setattr(smmnist, "_VALIDATE", 20)
    return tmp_path


def test_the_splits_are_the_papers() -> None:
    assert COUNTS == {"train": 5000, "test": 1000}


def test_sizes_and_keys(mnist: Path) -> None:
    for split, count in {"train": 40, "val": 20, "test": 40}.items():
        dataset = build_smmnist(_data(), split, mnist, 0)
        assert (len(dataset), dataset.shape) == (count, (15, 1, 64, 64))
        assert set(dataset.labels) == set(LABELS)


def test_the_labels_are_the_digits_in_order(mnist: Path) -> None:
    batch = build_smmnist(_data(), "test", mnist, 0).fetch(range(40))
    for x, low, high in zip(
        batch.x, batch.labels["smaller_digit"], batch.labels["larger_digit"], strict=True
    ):
        assert low <= high
        seen = set((x * 255).round().int().unique().tolist())
        # Test digits, for theirs are one brighter; where they overlap they add up.
        assert {20 * (1 + int(d)) + 1 for d in (low, high)} & seen
        assert max(seen) <= 20 * (2 + int(low) + int(high)) + 2


def test_the_same_seed_gives_the_same_data_and_another_others(mnist: Path) -> None:
    first, again, other = (build_smmnist(_data(), "train", mnist, s).fetch(range(40)).x for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_validation_is_what_training_leaves(mnist: Path) -> None:
    train, val = (build_smmnist(_data(), s, mnist, 0).fetch(range(20)).x for s in ("train", "val"))
    assert not any(torch.equal(a, b) for a in train for b in val)


def test_a_longer_clip_begins_otherwise_but_goes_on_moving(mnist: Path) -> None:
    x = build_smmnist(_data(length=40), "test", mnist, 0).fetch(range(5)).x
    assert x.shape == (5, 40, 1, 64, 64)
    assert (x[:, 1:] != x[:, :-1]).flatten(2).any(2).float().mean() > 0.9


def test_half_the_size_and_three_channels(mnist: Path) -> None:
    whole, half = (build_smmnist(_data(3, s, s), "test", mnist, 0).fetch(range(3)).x for s in (64, 32))
    assert torch.equal(whole[:, :, 0], whole[:, :, 2])
    means = whole.view(3, 15, 3, 32, 2, 32, 2).mean((4, 6))
    torch.testing.assert_close(half, means, atol=0.5 / 255 + 1e-6, rtol=0)


def test_a_digit_goes_straight_until_it_meets_a_wall() -> None:
    draws = np.random.default_rng(0).random((500, 4 + 3 * 30))
    places = bounce(draws, length=30)
    assert places.min() == 0
    assert places.max() == 32
    steps = np.diff(places, axis=1)
    assert np.abs(steps).max() == 4
    assert steps.min() == -4
    inside = ((places > 0) & (places < 32)).all(-1)
    # Inside from one step to the one after next: nothing can have changed the velocity.
    free = inside[:, :-2] & inside[:, 1:-1] & inside[:, 2:]
    turned = (steps[:, 1:] != steps[:, :-1]).any(-1)
    assert free.any()
    assert not (turned & free).any()


def test_away_from_a_wall_it_is_never_still_along_that_axis() -> None:
    # A digit that heads out at the first step: −4 from a place below 4.
    draws = np.random.default_rng(1).random((2000, 4 + 3 * 3))
    draws[:, 0], draws[:, 2] = 0.05, 0.0
    places = bounce(draws, length=3)
    assert (places[:, 1, 0] == 0).all()
    away = places[:, 2, 0]
    counts = np.bincount(away, minlength=5)[1:] / len(away)
    assert np.abs(counts - 0.25).max() < 0.04


def test_messages(mnist: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"dataset 'smmnist' has frames \(1 or 3, 64, 64\).*got \(3, 16, 16\)"
    ):
        build_smmnist(_data(3, 16, 16), "train", mnist, 0)
    with pytest.raises(InputError, match="needs its folder"):
        build_smmnist(_data(), "train", None, 0)
    with pytest.raises(InputError, match=r"cannot be read .*idx files of MNIST"):
        read_idx(tmp_path / "absent", dims=3)
    labels = mnist / "train-labels-idx1-ubyte"
    with pytest.raises(InputError, match="is no idx file of bytes with 3 dimensions"):
        read_idx(labels, dims=3)
    labels.write_bytes(labels.read_bytes()[:-2])
    with pytest.raises(InputError, match=r"holds 8 values; its header says \[10\]"):
        read_idx(labels, dims=1)
    packed = mnist / "train-images-idx3-ubyte.gz"
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz: cannot be read"):
        build_smmnist(_data(), "train", mnist, 0)


def test_the_real_one(dataset_folder: Callable[[str], Path]) -> None:
    dataset_folder("mnist")
    dataset = build_dataset("video", _data(length=3), "test")
    assert len(dataset) == 1000
    share = dataset.fetch(range(1000)).x.mean()
    assert 0.03 < share < 0.07
