"""What a protocol knows of its splits."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.prediction.splits import check_unseen, grouped, sequence_lengths


def named(*keys: str) -> ArraySequences:
    return ArraySequences(torch.zeros(len(keys), 3, 1), keys=keys)


def test_a_run_that_has_seen_the_test_split_is_refused() -> None:
    check_unseen(named("a", "b"), named("c"), named("d"), name="runs/x")
    with pytest.raises(InputError, match=r"runs/x: was trained on 1 of the 2 test sequences \(b, …\)"):
        check_unseen(named("a", "b"), named("c"), named("b"), name="runs/x")


def test_sequences_that_are_not_independent_are_found_by_their_keys() -> None:
    stations = named("a@2016-01", "b@2016-01", "a@2016-02")
    found = grouped(stations, lambda key: key.partition("@")[2])
    assert found is not None
    assert found.tolist() == [0, 0, 1]
    assert grouped(stations, None) is None


def test_lengths_end_with_the_last_existing_step() -> None:
    mask = torch.tensor([[True, True, True], [True, False, True], [True, True, False], [False, False, False]])
    assert sequence_lengths(ArraySequences(torch.zeros(4, 3, 1), mask=mask)).tolist() == [3, 3, 2, 0]
    assert sequence_lengths(ArraySequences(torch.zeros(2, 3, 1))).tolist() == [3, 3]
