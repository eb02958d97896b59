from __future__ import annotations

import pytest
import torch

from seqdis.core.coercion import as_sequences
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.core.training.in_memory import hold_out, training_sets


def sequences(count: int = 20, steps: int = 6) -> Sequences:
    return Sequences(torch.arange(count * steps, dtype=torch.float32).view(count, steps, 1))


def test_every_sequence_is_learnt_from_or_held_out() -> None:
    train, held = hold_out(sequences(), 0.3, seed=0)
    assert held is not None
    assert (len(train), len(held)) == (14, 6)
    assert sorted(torch.cat([train.x, held.x]).flatten().tolist()) == list(range(120))
    again, other = (hold_out(sequences(), 0.3, seed=seed)[1] for seed in (0, 1))
    assert again is not None
    assert other is not None
    assert torch.equal(held.x, again.x)
    assert not torch.equal(held.x, other.x)


def test_something_is_held_out_wherever_it_can_be() -> None:
    for count, share, expected in ((2, 0.01, 1), (2, 0.99, 1), (3, 0.5, 2), (20, 0.0, None)):
        held = hold_out(sequences(count), share, seed=0)[1]
        assert (None if held is None else len(held)) == expected


def test_of_a_single_recording_the_end_is_held_out() -> None:
    train, held = hold_out(sequences(1, 10), 0.2, seed=0)
    assert held is not None
    assert train.x.flatten().tolist() == list(range(8))
    assert held.x.flatten().tolist() == [8, 9]


def test_both_parts_have_one_length() -> None:
    sets = training_sets(sequences(4, 3), sequences(2, 5))
    assert sets.val is not None
    assert sets.train.shape == sets.val.shape == (5, 1)
    mask = sets.train.fetch([0]).mask
    assert mask is not None
    assert mask.tolist() == [[True] * 3 + [False] * 2]


def test_windows_lie_within_the_steps_that_exist() -> None:
    ragged = as_sequences([torch.ones(9, 1), torch.full((5, 1), 2.0), torch.ones(7, 1)])
    sets = training_sets(ragged, 0.3, length=4, seed=0)
    assert sets.val is not None
    for dataset in (sets.train, sets.val):
        batch = dataset.fetch(range(len(dataset)))
        assert batch.x.shape[1:] == (4, 1)
        assert bool((batch.x > 0).all())
        assert batch.mask is None
    longer = training_sets(ragged, 0, length=6).train
    batch = longer.fetch(range(len(longer)))
    assert batch.mask is not None
    assert sorted(batch.mask.sum(1).tolist()) == [5, 6, 6]
    with pytest.raises(InputError, match=r"length: 10 steps; allowed: from 2 to .* 9"):
        training_sets(ragged, 0, length=10)
    gap = Sequences(torch.ones(1, 3, 1), mask=torch.tensor([[True, False, True]]))
    with pytest.raises(InputError, match="padding lies at their end"):
        training_sets(gap, 0, length=2)


def test_held_out_recordings_shorter_than_a_window_are_padded() -> None:
    val = training_sets(sequences(3, 6), sequences(2, 3), length=4).val
    assert val is not None
    mask = val.fetch([0, 1]).mask
    assert mask is not None
    assert mask.tolist() == [[True, True, True, False]] * 2
