from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences


def sequences(count: int = 4, steps: int = 3, **changes: object) -> Sequences:
    x = torch.arange(count * steps * 2, dtype=torch.float32).view(count, steps, 2)
    parts = {
        "mask": torch.arange(steps) < 1 + torch.arange(count)[:, None],
        "observed": x % 3 > 0,
        "labels": {"kind": torch.arange(count)},
        "keys": [f"k{i}" for i in range(count)],
        "targets": {"energy": x[..., :1] + 0.5},
        "stamps": np.datetime64("2026-01-01", "h") + np.arange(count * steps).reshape(count, steps),
    }
    return Sequences(x, **(parts | changes))  # type: ignore[arg-type]


def equal(a: Sequences, b: Sequences) -> bool:
    tensors = [(a.x, b.x), (a.mask, b.mask), (a.observed, b.observed)]
    tensors += [(a.labels["kind"], b.labels["kind"]), (a.targets["energy"], b.targets["energy"])]
    assert a.stamps is not None
    assert b.stamps is not None
    return (
        all(one is not None and other is not None and torch.equal(one, other) for one, other in tensors)
        and list(a.keys) == list(b.keys)
        and np.array_equal(a.stamps, b.stamps)
    )


def test_an_index_chooses_of_every_part_the_same_sequences() -> None:
    whole = sequences()
    assert equal(whole[1], whole[1:2])
    assert equal(whole[-1], whole[[3]])
    assert equal(whole[torch.tensor([2, 0])], Sequences.cat([whole[2], whole[0]]))
    assert equal(whole[torch.tensor([True, False, True, False])], whole[[0, 2]])
    assert equal(whole[[-1, -2]], whole[[3, 2]])
    assert len(whole[[]]) == 0
    for index in (4, -5, [0, 4], [-5]):
        with pytest.raises(IndexError, match=r"is out of range for 4 sequences"):
            whole[index]
    with pytest.raises(IndexError, match=r"shape \(3,\); allowed: \(4,\)"):
        whole[torch.ones(3, dtype=torch.bool)]


def test_cat_joins_what_indexing_takes_apart() -> None:
    whole = sequences()
    assert equal(Sequences.cat([whole[:1], whole[1:3], whole[3]]), whole)


def test_lengths_count_the_steps_that_exist() -> None:
    assert sequences().lengths.tolist() == [1, 2, 3, 3]
    assert sequences(mask=None).lengths.tolist() == [3] * 4
    assert sequences().steps == 3


def test_cat_pads_the_shorter_and_says_so_in_the_mask() -> None:
    short, long = sequences(1, 2, mask=None), sequences(1, 5, mask=None, observed=None)
    both = Sequences.cat([short, long])
    assert both.lengths.tolist() == [2, 5]
    assert both.mask is not None
    assert both.observed is not None
    assert both.stamps is not None
    assert torch.equal(both.x[0, :2], short.x[0])
    assert both.x[0, 2:].eq(0).all()
    assert not both.observed[0, 2:].any()
    assert both.observed[1].all()
    assert np.isnat(both.stamps[0, 2:]).all()
    assert torch.equal(both.targets["energy"][1], long.targets["energy"][0])
    counted = Sequences(short.x, stamps=np.ones((1, 2))), Sequences(long.x, stamps=np.ones((1, 5)))
    assert np.isnan(Sequences.cat(counted).stamps[0, 2:]).all()  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": {}}, "the same labels in every part"),
        ({"keys": ()}, r"the same keys \(all or none\)"),
        ({"targets": {}}, "the same targets"),
        ({"stamps": None}, r"the same stamps \(all or none\)"),
    ],
)
def test_parts_that_lack_something_cannot_be_joined(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Sequences.cat([sequences(), sequences(**changes)])
    with pytest.raises(InputError, match="frame shape"):
        Sequences.cat([Sequences(torch.zeros(1, 2, 3)), Sequences(torch.zeros(1, 2, 4))])
    with pytest.raises(InputError, match="at least one Sequences; got none"):
        Sequences.cat([])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mask": torch.ones(4, 2)}, r"mask of shape \(4, 2\); allowed: \(4, 3\)"),
        ({"observed": torch.ones(4, 3)}, r"observed of shape \(4, 3\); allowed: \(4, 3, 2\)"),
        ({"keys": ["a"]}, "1 keys; allowed: 4"),
        ({"labels": {"kind": torch.zeros(3)}}, "label 'kind' is of 3 sequences; allowed: 4"),
        ({"targets": {"energy": torch.zeros(5, 3, 1)}}, "target 'energy' is of 5 sequences; allowed: 4"),
        ({"stamps": np.zeros((4, 2))}, r"stamps of shape \(4, 2\); allowed: \(4, 3\)"),
        ({"stamps": np.full((4, 3), "now")}, "stamps are <U3; allowed: a numpy array of numbers or"),
        ({"stamps": [[0]]}, "stamps are list"),
    ],
)
def test_parts_that_do_not_fit_the_frames_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sequences(**changes)
    with pytest.raises(InputError, match=r"\(B, V, \*frame\); got \(4, 3\)"):
        Sequences(torch.zeros(4, 3))


def test_masks_of_numbers_are_read_as_booleans() -> None:
    given = Sequences(torch.zeros(1, 2, 1), mask=torch.tensor([[1, 0]]))
    assert given.mask is not None
    assert given.mask.dtype == torch.bool
    assert given.lengths.tolist() == [1]


def test_moving_a_batch_moves_every_part() -> None:
    batch = sequences().to("meta")
    parts = [batch.x, batch.mask, batch.observed, batch.labels["kind"], batch.targets["energy"]]
    assert all(part is not None and part.device.type == "meta" for part in parts)
    assert batch.stamps is not None
    assert Sequences(torch.zeros(1, 1, 1)).to("meta").mask is None
