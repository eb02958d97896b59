"""Numbers of windows: predicted where the factors hold them, and what published code makes of them."""

from __future__ import annotations

import pytest
import torch
from tests.eval.conftest import Channels
from torch import Tensor

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.sequences import Sequences
from seqdis.eval.prediction import quantity
from seqdis.eval.prediction.quantity import WindowValues, mismatched, quantity_protocol
from seqdis.eval.prediction.rolled import Rolled
from seqdis.eval.prediction.splits import Splits

STEPS, WINDOW = 12, 3


class Halves(Channels):
    """Nothing static; the dynamics are the last two channels."""

    def _encode(self, sequences: Sequences, **given: object) -> Factors:
        return Factors(torch.zeros(len(sequences.x), 2), sequences.x[..., 2:])


class Blank(Channels):
    def _encode(self, sequences: Sequences, **given: object) -> Factors:
        return Factors(torch.ones(len(sequences.x), 2), torch.zeros(len(sequences.x), STEPS, 2))


def data(count: int, seed: int, *, mask: Tensor | None = None) -> tuple[SequenceDataset, Tensor]:
    """The number of a window is 10 plus 5 times the mean of a channel over it."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(count, STEPS // WINDOW, 1, generator=g).repeat_interleave(WINDOW, dim=1)
    x = torch.cat([torch.zeros(count, STEPS, 2), x, 0.1 * torch.randn(count, STEPS, 1, generator=g)], dim=2)
    return ArraySequences(x, mask=mask), 10 + 5 * x[..., 2].unflatten(1, (-1, WINDOW)).mean(2)


def three() -> tuple[Splits, WindowValues]:
    sets, values = zip(*(data(n, seed) for seed, n in enumerate((80, 20, 30))), strict=True)
    return Splits(*sets), WindowValues(*values)


def test_what_the_factors_hold_is_predicted() -> None:
    splits, values = three()
    found = quantity_protocol(Halves().eval(), splits, values, window=WINDOW, seeds=(0, 1))
    median = values.train.flatten().quantile(0.5)
    assert found["mae"].chance == pytest.approx(float((values.test - median).abs().mean()), rel=1e-5)
    assert found["mae"].value < 0.1 * found["mae"].chance
    assert found["mae_ridge"].value < 0.01
    assert found["mae_random_forest"].value < 0.2 * found["mae"].chance
    assert found["mae_ridge_on_factors"].value < 0.01
    assert (found["mae"].n, found["mae"].seeds, found["mae"].higher_is_better) == (30, 2, False)


def test_constant_factors_come_out_near_the_median() -> None:
    splits, values = three()
    found = quantity_protocol(Blank().eval(), splits, values, window=WINDOW, seeds=(0,))
    assert found["mae"].chance is not None
    assert found["mae"].value == pytest.approx(found["mae"].chance, rel=0.05)
    mean = float((values.test - values.train.mean()).abs().mean())  # which squares, not magnitudes, lead to
    assert found["mae_ridge_on_factors"].value == pytest.approx(mean, rel=0.01)


def test_published_numbers_come_from_another_pass_than_the_factors() -> None:
    sequence = torch.arange(14).repeat_interleave(4)
    beside = mismatched(sequence, generator=torch.Generator().manual_seed(0))
    assert torch.equal(beside.sort().values, torch.arange(56))
    assert torch.equal(beside % 4, torch.arange(4).repeat(14))  # the place within a sequence stays
    assert (sequence[beside] == sequence).float().mean() < 0.3
    # Both orders by hand, from the same draws.
    g = torch.Generator().manual_seed(0)
    first, second = (torch.randperm(14, generator=g).argsort() for _ in range(2))
    expected = torch.empty(14, dtype=torch.long)
    expected[first] = second
    assert torch.equal(sequence[beside].view(14, 4)[:, 0], expected)


def test_published_sequences_of_unequal_length_lose_even_their_place() -> None:
    beside = mismatched(torch.tensor([0, 0, 0, 1, 2, 2]), generator=torch.Generator().manual_seed(1))
    assert torch.equal(beside.sort().values, torch.arange(6))


def test_published_learns_nothing_where_corrected_is_near_perfect() -> None:
    splits, values = three()
    found = quantity_protocol(Halves().eval(), splits, values, window=WINDOW, seeds=(0,), mode="published")
    assert found["mae"].chance is not None
    assert found["mae"].value > 0.8 * found["mae"].chance
    assert found["mae_ridge"].value < 0.01  # the plain models see windows as they are


def test_a_shift_moves_the_signals_alone() -> None:
    x = torch.arange(5.0).view(1, 5, 1).repeat(40, 1, 2)
    mask = torch.arange(5).expand(40, -1) < 4
    observed = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.5
    plain = ArraySequences(x, mask=mask, observed=observed)
    rolled = Rolled(plain, seed=3)
    batch = rolled.fetch(range(40))
    shifts = torch.tensor([rolled.shift(i) for i in range(40)])
    assert torch.equal(batch.x[..., 0].long(), (torch.arange(5) - shifts[:, None]) % 5)
    assert set(shifts.tolist()) == set(range(5))
    assert torch.equal(batch.mask, mask)
    assert torch.equal(batch.observed, observed)
    assert torch.equal(rolled.fetch([7]).x[0], batch.x[7])
    assert (rolled.shape, len(rolled)) == (plain.shape, 40)


def test_published_reads_shifted_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[SequenceDataset] = []
    encode = quantity.encode_dataset

    def spy(model: Channels, dataset: SequenceDataset, **given: object) -> Factors:
        read.append(dataset)
        return encode(model, dataset, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(quantity, "encode_dataset", spy)
    monkeypatch.setattr(quantity, "_EPOCHS", 1)
    splits, values = three()
    quantity_protocol(Halves().eval(), splits, values, window=WINDOW, seeds=(0,))
    assert not any(isinstance(dataset, Rolled) for dataset in read)
    read.clear()
    quantity_protocol(Halves().eval(), splits, values, window=WINDOW, seeds=(0,), mode="published")
    assert all(isinstance(dataset, Rolled) for dataset in read)


def test_windows_that_do_not_exist_do_not_count() -> None:
    splits, values = three()
    mask = torch.arange(STEPS).expand(30, -1) < 7  # two whole windows of four
    test_set, numbers = data(30, 2, mask=mask)
    spoilt = numbers.clone()
    spoilt[:, 2:] = 1e6
    model = Halves().eval()
    found = quantity_protocol(
        model, Splits(splits.train, splits.val, test_set), WindowValues(values.train, values.val, spoilt),
        window=WINDOW, seeds=(0,),
    )  # fmt: skip
    assert found["mae"].value < 1


def test_bad_input_is_refused() -> None:
    splits, values = three()
    short = WindowValues(values.train, values.val, values.test[:, :2])
    with pytest.raises(
        InputError, match=r"test split: numbers of shape \(30, 2\); 30 .* have 4 windows of 3"
    ):
        quantity_protocol(Halves().eval(), splits, short, window=WINDOW)
    hole = WindowValues(values.train, torch.full_like(values.val, torch.nan), values.test)
    with pytest.raises(InputError, match=r"val numbers: .* NaN"):
        quantity_protocol(Halves().eval(), splits, hole, window=WINDOW)
