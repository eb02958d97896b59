from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.loader import BatchPlan, reading_processes, training_batches
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences


def _global_steps(plan: BatchPlan, start: int, stop: int) -> list[list[int]]:
    """What all processes read together in each step, in the order of the step's rows."""
    steps: list[list[int]] = [[-1] * plan.batch_size for _ in range(start, stop)]
    for rank in range(plan.processes):
        mine = replace(plan, rank=rank)
        for i, read in enumerate(mine.reads(start, stop)):
            step, micro = divmod(i, plan.accumulate)
            steps[step][mine.rows(micro)] = read.indices
    return steps


def test_an_epoch_visits_every_sequence_once_and_the_next_in_another_order() -> None:
    plan = BatchPlan(12, 4, seed=1)
    assert plan.steps_per_epoch == 3
    first = [i for read in plan.reads(0, 3) for i in read.indices]
    second = [i for read in plan.reads(3, 6) for i in read.indices]
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    assert [set(read.epochs) for read in plan.reads(0, 6)] == [{0}, {0}, {0}, {1}, {1}, {1}]


def test_the_rest_of_an_epoch_is_dropped() -> None:
    plan = BatchPlan(11, 4)
    read = [i for r in plan.reads(0, plan.steps_per_epoch) for i in r.indices]
    assert plan.steps_per_epoch == 2
    assert len(set(read)) == 8


def test_a_dataset_smaller_than_a_batch_goes_round_and_round() -> None:
    plan = BatchPlan(3, 8)
    reads = list(plan.reads(0, 2))
    for read in reads:
        assert sorted(Counter(read.indices).values()) == [2, 3, 3]
    positions = [position for read in reads for position in zip(read.epochs, read.indices, strict=True)]
    assert len(set(positions)) == 16  # no view is drawn twice


def test_every_position_of_a_batch_from_one_recording_is_a_window_of_its_own() -> None:
    recording = Clip(torch.arange(17000.0)[:, None], "hours.csv")
    windows = RandomWindows([recording], 64, repeats=1)
    first, second = training_batches(windows, BatchPlan(len(windows), 16), start=0, stop=2)
    starts = [*first.x[:, 0, 0].tolist(), *second.x[:, 0, 0].tolist()]
    assert len(set(starts)) == 32


def test_any_step_can_be_read_first() -> None:
    plan = BatchPlan(20, 4, seed=5, accumulate=2)
    assert list(plan.reads(7, 13)) == list(plan.reads(0, 13))[14:]


@pytest.mark.parametrize(("accumulate", "processes"), [(1, 1), (4, 1), (1, 4), (2, 2), (8, 1)])
def test_processes_and_micro_batches_share_the_same_global_batch(accumulate: int, processes: int) -> None:
    whole = _global_steps(BatchPlan(20, 8, seed=2), 0, 5)
    assert _global_steps(BatchPlan(20, 8, seed=2, accumulate=accumulate, processes=processes), 0, 5) == whole


def test_seeds_differ() -> None:
    assert list(BatchPlan(20, 4, seed=0).reads(0, 5)) != list(BatchPlan(20, 4, seed=1).reads(0, 5))


def test_a_batch_that_does_not_split_evenly_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"^batch_size 10 must be a multiple of accumulate × processes = 2 × 2$"
    ):
        BatchPlan(20, 10, accumulate=2, processes=2)


def test_an_empty_dataset_is_refused() -> None:
    with pytest.raises(InputError, match=r"^training needs at least one sequence; got an empty dataset$"):
        BatchPlan(0, 4)


class _Views(SequenceDataset):
    """x is (index, epoch): shows what was asked for."""

    def __init__(self, broken: int | None = None) -> None:
        self.broken = broken

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, 2)

    def __len__(self) -> int:
        return 6

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        if self.broken in indices:
            raise InputError(f"clip {self.broken}: cannot be read")
        x = torch.tensor([[[i, epoch]] for i in indices]).float()
        return Sequences(x, keys=[str(i) for i in indices])


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_fetched_whole_in_order_with_their_epoch(workers: int) -> None:
    plan = BatchPlan(6, 3, seed=4)
    batches = list(training_batches(_Views(), plan, start=1, stop=5, workers=workers))
    expected = list(plan.reads(1, 5))
    assert [tuple(b.x[:, 0, 0].int().tolist()) for b in batches] == [r.indices for r in expected]
    assert [int(b.x[0, 0, 1]) for b in batches] == [0, 1, 1, 2]
    assert [list(b.keys) for b in batches] == [[str(i) for i in r.indices] for r in expected]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_input_error_keeps_its_one_line(workers: int) -> None:
    with pytest.raises(InputError, match=r"^clip 3: cannot be read$"):
        list(training_batches(_Views(broken=3), BatchPlan(6, 3), start=0, stop=2, workers=workers))


def test_reading_takes_nothing_from_the_global_random_stream() -> None:
    data = ArraySequences(torch.randn(6, 2, 3))
    before = torch.get_rng_state()
    list(training_batches(data, BatchPlan(6, 3), start=0, stop=4))
    assert torch.equal(torch.get_rng_state(), before)


class OnDisk(ArraySequences):
    """Sequences that count as read from files."""

    @property
    def in_memory(self) -> bool:
        return False


def test_processes_read_ahead_where_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    files, memory = OnDisk(torch.zeros(4, 3, 2)), ArraySequences(torch.zeros(4, 3, 2))
    for cores, ranks, expected in ((1, 1, 1), (2, 1, 2), (2, 2, 1), (2, 4, 1), (16, 1, 4), (16, 8, 2)):
        monkeypatch.setattr("seqdis.core.data.loader.usable_cores", lambda cores=cores: cores)
        assert reading_processes(files, None, ranks=ranks) == expected
        assert reading_processes(memory, None, ranks=ranks) == 0
        assert reading_processes(files, 0) == 0
        assert reading_processes(memory, 3) == 3
