"""Pendulum: colour and speed can be read off the pixels by rules that know nothing of the renderer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.video.datasets import DATASETS
from seqdis.video.datasets.pendulum import COUNTS, LABELS, PERIODS, bob_positions, build_pendulum


def _split(split: str = "val", *, size: int = 16, length: int = 16, seed: int = 0) -> Sequences:
    data = DataConfig(dataset="pendulum", length=length, frame_shape=(3, size, size))
    dataset = build_pendulum(data, split, None, seed)
    assert dataset.shape == (length, 3, size, size)
    return dataset.fetch(range(len(dataset)))


def _bobs(batch: Sequences) -> torch.Tensor:
    """Centres of what is coloured (the rod is grey), ``(N, V, 2)`` in frame sides."""
    weight = batch.x.amax(2) - batch.x.amin(2)
    weight = torch.where(weight > 0.3, weight, 0)
    side = weight.shape[-1]
    place = (torch.arange(side) + 0.5) / side
    total = weight.sum((-2, -1))
    return (
        torch.stack([(weight.sum(-2) * place).sum(-1), (weight.sum(-1) * place).sum(-1)], -1)
        / total[..., None]
    )


def test_sizes_and_labels() -> None:
    batch = _split("train")
    assert len(batch) == COUNTS["train"] == 2048
    for name, label in LABELS.items():
        share = batch.labels[name].bincount(minlength=len(label.classes)) / len(batch)
        assert (share - 1 / len(label.classes)).abs().max() < 0.05
    assert [len(label.classes) for label in LABELS.values()] == [7, 2]
    assert DATASETS["pendulum"].labels == LABELS


def test_colours_differ_and_are_those_of_the_label() -> None:
    batch = _split(size=32)
    coloured = batch.x.amax(2) - batch.x.amin(2) > 0.5
    means = torch.stack(
        [
            batch.x.movedim(2, -1)[batch.labels["colour"] == c][coloured[batch.labels["colour"] == c]].mean(0)
            for c in range(7)
        ]
    )
    assert torch.cdist(means, means)[~torch.eye(7, dtype=torch.bool)].min() > 0.25


def test_a_fast_one_swings_twice_as_often() -> None:
    batch = _split(size=32)
    x = _bobs(batch)[..., 0] - 0.5
    strongest = torch.fft.rfft(x - x.mean(1, keepdim=True)).abs().argmax(1)
    assert torch.equal(strongest, torch.where(batch.labels["speed"] == 1, 2, 1))


def test_the_bob_is_where_the_formula_puts_it() -> None:
    batch = _split(size=64)
    speed = batch.labels["speed"].numpy()
    # The pivot lies on the middle line; every bob has one distance from it.
    places = _bobs(batch)
    radius = torch.linalg.vector_norm(places - torch.tensor([0.5, 0.15]), dim=-1)
    assert (radius - 0.52).abs().max() < 0.02
    assert places.min() > 0.05
    assert places.max() < 0.95
    period = PERIODS[speed[0]]
    again = bob_positions(speed[:1], np.array([0.3]), np.array([0.5]), int(2 * period))
    np.testing.assert_allclose(again[:, : int(period)], again[:, int(period) :])


def test_seeds_splits_and_sizes() -> None:
    first = _split()
    assert torch.equal(first.x, _split().x)
    assert not torch.equal(first.x, _split(seed=1).x)
    assert not torch.equal(first.x, _split("test").x[:256])
    assert torch.equal(first.labels["colour"], _split(size=24, length=3).labels["colour"])


@pytest.mark.parametrize(
    ("shape", "said"),
    [((3, 16, 24), "square frames"), ((1, 16, 16), "square frames"), ((3, 8, 8), "12 pixels")],
)
def test_other_frames_are_refused(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        build_pendulum(DataConfig(dataset="pendulum", length=4, frame_shape=shape), "val", None, 0)
