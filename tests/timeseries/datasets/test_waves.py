"""waves holds what its labels say: level and wiring by step, one curve in time."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset
from seqdis.timeseries.datasets.waves import _LEVELS, _WIRINGS

DATA = get_preset("diffsda-waves").data


def test_repeats_by_seed_and_differs_between_splits() -> None:
    a, b = (build_dataset("timeseries", DATA, "val", seed=3).fetch(range(8)) for _ in range(2))
    assert torch.equal(a.x, b.x)
    other = build_dataset("timeseries", DATA, "val", seed=4).fetch(range(8))
    train = build_dataset("timeseries", DATA, "train", seed=3).fetch(range(8))
    assert not torch.equal(a.x, other.x)
    assert not torch.equal(a.x, train.x)


def test_all_combinations_are_there() -> None:
    labels = build_dataset("timeseries", DATA, "train").all_labels()
    code = labels["level"] * 24 + labels["wiring"] * 6 + labels["course"]
    counts = torch.bincount(code, minlength=96)
    assert len(counts) == 4 * 4 * 6
    assert int(counts.min()) >= 5


def test_a_sequence_is_a_level_and_one_curve() -> None:
    dataset = build_dataset("timeseries", DATA, "test")
    batch = dataset.fetch(range(200))
    # A course moves all channels by one curve: what is left of x after its rank-1 part is noise.
    centred = batch.x - batch.x.mean(1, keepdim=True)
    values = torch.linalg.svdvals(centred)
    noise = values[:, 1:].square().sum(1) / (48 * 5)
    assert float(noise.sqrt().mean()) == pytest.approx(0.05, rel=0.15)
    # The direction of the curve over the channels is the wiring: strong where it is 1, weak where 0.2.
    direction = torch.linalg.svd(centred, full_matrices=False).Vh[:, 0].abs()
    strong = {"left": (0, 1, 2), "right": (3, 4, 5), "even": (0, 2, 4), "odd": (1, 3, 5)}
    for row, wiring in zip(direction, batch.labels["wiring"], strict=True):
        assert set(row.topk(3).indices.tolist()) == set(strong[dataset.labels["wiring"].classes[wiring]])


def test_levels_and_wirings_do_not_mix() -> None:
    levels, wirings = (torch.tensor(list(table.values())) for table in (_LEVELS, _WIRINGS))
    # A level has no part along any wiring: x's component along a wiring is the course's alone.
    torch.testing.assert_close(levels @ wirings.T, torch.zeros(4, 4))
    # The sum over channels is the course on one scale, whatever level and wiring are.
    torch.testing.assert_close(wirings.sum(1), torch.full((4,), 3.6))
    assert torch.linalg.matrix_rank(levels) == 2
    assert len({tuple(row) for row in wirings.tolist()}) == 4


def test_courses_look_as_they_are_called() -> None:
    dataset = build_dataset("timeseries", DATA, "test")
    batch = dataset.fetch(range(512))
    curve = batch.x.sum(2) / 3.6
    curve = curve - curve.mean(1, keepdim=True)
    name = [dataset.labels["course"].classes[i] for i in batch.labels["course"]]
    for course, row in zip(name, curve, strict=True):
        ends, middle = (row[:6].mean(), row[-6:].mean()), row[14:34]
        crossings = int((row.sign().diff() != 0).sum())
        match course:
            case "rise":
                assert ends[1] > ends[0] + 1
            case "fall":
                assert ends[1] < ends[0] - 1
            case "bump":
                assert middle.max() > max(ends) + 0.7
            case "dip":
                assert middle.min() < min(ends) - 0.7
            case _:
                assert crossings >= 3


def test_channels_are_six() -> None:
    with pytest.raises(InputError, match=r"frames of shape \(6,\); got \(5,\)"):
        build_dataset("timeseries", DATA.model_copy(update={"frame_shape": (5,)}), "train")
