from __future__ import annotations

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError

LABELS = {"kind": Label(("a", "b"), "static")}


def dataset(count: int = 6) -> ArraySequences:
    x = torch.arange(count * 6, dtype=torch.float32).view(count, 3, 2)
    mask = torch.arange(3) < 1 + torch.arange(count)[:, None] % 3
    return ArraySequences(
        x,
        labels=LABELS,
        label_values={"kind": torch.arange(count) % 2},
        mask=mask,
        observed=x > 2,
        keys=list("abcdef"),
    )


def test_fetch_reads_the_rows_that_were_asked_for() -> None:
    data = dataset()
    batch, whole = data.fetch([4, 1]), data.fetch(range(6))
    assert torch.equal(batch.x, whole.x[[4, 1]])
    assert batch.mask is not None
    assert whole.mask is not None
    assert torch.equal(batch.mask, whole.mask[[4, 1]])
    assert batch.labels["kind"].tolist() == [0, 1]
    assert batch.keys == ["e", "b"]
    assert data.shape == (3, 2)
    assert len(data.fetch([])) == 0


def test_bytes_stand_for_the_unit_interval_and_are_not_changed() -> None:
    x = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1)
    data = ArraySequences(x)
    for _ in range(2):
        torch.testing.assert_close(data.fetch([0]).x.flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_a_batch_is_a_copy() -> None:
    data = dataset()
    data.fetch([0]).x.zero_()
    assert data.fetch([0]).x.sum() > 0


def test_keys_are_numbered_when_there_are_none() -> None:
    assert ArraySequences(torch.zeros(2, 1, 1)).fetch([1]).keys == ["000001"]


def test_all_labels_by_reading_equal_those_in_memory() -> None:
    g = torch.Generator().manual_seed(0)
    kinds = torch.randint(2, (700,), generator=g)
    data = ArraySequences(torch.zeros(700, 1, 1), labels=LABELS, label_values={"kind": kinds})
    assert torch.equal(SequenceDataset.all_labels(data)["kind"], kinds)
    assert torch.equal(data.all_labels()["kind"], kinds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": torch.zeros(0, 3, 2)}, r"shape \(N, V, \*frame\) with N ≥ 1; got \(0, 3, 2\)"),
        ({"x": torch.zeros(4, 3)}, r"got \(4, 3\)"),
        ({"keys": ["a"]}, r"'keys': 1"),
        ({"label_values": {"kind": torch.zeros(3)}}, r"'kind': 3"),
        ({"label_values": {}}, "a meaning a label"),
        ({"mask": torch.ones(4, 2, dtype=torch.bool)}, r"mask of shape \(4, 2\); allowed: \(4, 3\)"),
        (
            {"observed": torch.ones(4, 3, dtype=torch.bool)},
            r"observed of shape \(4, 3\); allowed: \(4, 3, 2\)",
        ),
        ({"x": torch.full((4, 3, 2), torch.nan)}, r"dataset: 24 of 24 values are NaN or Inf"),
    ],
)
def test_parts_that_disagree_are_refused(changes: dict, message: str) -> None:
    given = {"x": torch.zeros(4, 3, 2), "labels": LABELS, "label_values": {"kind": torch.zeros(4)}} | changes
    with pytest.raises(InputError, match=message):
        ArraySequences(given.pop("x"), **given)
