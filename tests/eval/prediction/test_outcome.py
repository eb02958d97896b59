"""Outcomes foretold by models whose factors are known: read off, constant, and hidden from the published head."""

from __future__ import annotations

import pytest
import torch
from tests.eval.conftest import Channels
from torch import Tensor, nn

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.sequences import Sequences
from seqdis.eval.engine.mode import Mode
from seqdis.eval.prediction import outcome
from seqdis.eval.prediction.outcome import outcome_protocol
from seqdis.eval.prediction.splits import Splits

STEPS, WINDOW = 16, 4
LABELS = {
    "ill": Label(("no", "yes"), "static"),
    "sort": Label(("a", "b", "c"), "static"),
}


class Stays(ArraySequences):
    """Noise, and from the step ``onset`` on a third channel that tells the outcome."""

    def __init__(
        self, count: int, seed: int, *, onset: int, mask: Tensor | None = None, share: float = 0.5
    ) -> None:
        g = torch.Generator().manual_seed(seed)
        ill = (torch.rand(count, generator=g) < share).long()
        x = 0.1 * torch.randn(count, STEPS, 4, generator=g)
        x[:, onset:, 2] += 2.0 * ill[:, None] - 1
        super().__init__(x, labels=LABELS, label_values={"ill": ill, "sort": torch.zeros(count)}, mask=mask)


class Blank(Channels):
    """The same factors whatever comes."""

    def _encode(self, sequences: Sequences, **given: object) -> Factors:
        factors = super()._encode(sequences, generator=None)
        return Factors(torch.ones_like(factors.static), torch.zeros_like(factors.dynamic))


def splits(onset: int, **given: object) -> Splits:
    sizes = {"train": 200, "val": 60, "test": 100}
    return Splits(*(Stays(n, i, onset=onset, **given) for i, n in enumerate(sizes.values())))  # type: ignore[arg-type]


def test_what_the_factors_hold_is_foretold() -> None:
    seen: list[tuple[int, int]] = []
    found = outcome_protocol(
        Channels().eval(), splits(0), "ill", window=WINDOW, seeds=(0,), progress=lambda *at: seen.append(at)
    )
    assert found["auroc"].value > 0.99
    assert found["auprc"].value > 0.99
    assert found["auroc_random_forest"].value > 0.99
    assert found["auroc_logistic_regression"].value > 0.99
    assert found["auroc_logistic_regression_on_factors"].value > 0.99
    assert (found["auroc"].seeds, found["auroc"].n, found["auroc"].chance) == (None, 100, 0.5)
    assert found["auprc"].chance == pytest.approx(0.5, abs=0.15)
    assert seen[-1] == (360, 360)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_constant_factors_foretell_nothing() -> None:
    found = outcome_protocol(Blank().eval(), splits(0), "ill", window=WINDOW, seeds=(0,))
    assert found["auroc"].value == 0.5  # every pair is a tie
    assert found["auroc_logistic_regression_on_factors"].value == 0.5
    assert found["auprc"].value == pytest.approx(found["auprc"].chance)
    assert found["auroc_random_forest"].value > 0.99  # which the raw features do


def test_published_asks_the_lstm_at_an_index_of_windows() -> None:
    # 16 steps are 4 windows: the state after step 4 is taken, and what comes later is never read.
    for onset, low, high in ((WINDOW, 0.2, 0.75), (WINDOW - 1, 0.99, 1.0)):
        found = outcome_protocol(
            Channels().eval(), splits(onset), "ill", window=WINDOW, seeds=(0,), mode="published"
        )
        assert low <= found["auroc"].value <= high
    assert (
        outcome_protocol(Channels().eval(), splits(WINDOW), "ill", window=WINDOW, seeds=(0,))["auroc"].value
        > 0.99
    )


class Last(Channels):
    """Dynamics alone: the static factor of this world would tell all steps."""

    def _encode(self, sequences: Sequences, **given: object) -> Factors:
        return Factors(torch.zeros(len(sequences.x), 2), sequences.x[..., 2:])


def test_padding_is_not_read() -> None:
    # Sequences of 8 steps whose outcome shows after the 8th alone.
    mask = torch.arange(STEPS).expand(100, -1) < 8

    def part(seed: int, masked: bool) -> SequenceDataset:
        return Stays(100, seed, onset=8, mask=mask if masked else None)

    for masked, low, high in ((True, 0.2, 0.75), (False, 0.99, 1.0)):
        three = Splits(*(part(seed, masked) for seed in range(3)))
        found = outcome_protocol(Last().eval(), three, "ill", window=WINDOW, seeds=(0,))
        assert low <= found["auroc"].value <= high
        assert (found["auroc_random_forest"].value > 0.9) == (not masked)


@pytest.mark.parametrize("mode", ["corrected", "published"])
def test_published_takes_the_last_epoch_and_corrected_the_best_on_validation(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[object] = []
    fit = outcome.fit_head

    def spy(head: nn.Module, *given: object, **options: object) -> nn.Module:
        kept.append(options["val"])
        return fit(head, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(outcome, "fit_head", spy)
    outcome_protocol(Channels().eval(), splits(0), "ill", window=WINDOW, seeds=(0,), mode=mode)
    assert [val is None for val in kept] == [mode == "published"]


def test_what_it_does_not_apply_to() -> None:
    model, some = Channels().eval(), splits(0)
    with pytest.raises(InputError, match="label of these data 'dead'"):
        outcome_protocol(model, some, "dead", window=WINDOW)
    with pytest.raises(InputError, match="label 'sort' has 3 classes; an outcome has 2"):
        outcome_protocol(model, some, "sort", window=WINDOW)
    with pytest.raises(InputError, match="window 17; allowed: 1 to 16"):
        outcome_protocol(model, some, "ill", window=17)
    with pytest.raises(InputError, match="one class alone"):
        outcome_protocol(model, splits(0, share=0.0), "ill", window=WINDOW)
