"""Labels from the static factor: all of it, none of it, and one head for all seeds in published mode."""

from __future__ import annotations

import pytest
import torch
from tests.eval.conftest import Channels, World
from torch import Tensor, nn

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.subset import Subset
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.sequences import Sequences
from seqdis.eval.engine.mode import Mode
from seqdis.eval.prediction.splits import Splits
from seqdis.eval.protocols import classification
from seqdis.eval.protocols.classification import classification_protocol


def splits() -> Splits:
    return Splits(World(150, 0), World(50, 1), World(90, 2))


def test_a_perfect_model_knows_the_labels_of_the_static_factor() -> None:
    found = classification_protocol(Channels().eval(), splits(), seeds=(0, 1))
    assert list(found) == [
        f"{label}_accuracy{kind}"
        for label in ("level", "tilt")
        for kind in ("", "_logistic_regression", "_random_forest", "_logistic_regression_on_factors")
    ]
    assert all(metric.value == 1 for metric in found.values())
    assert (found["level_accuracy"].n, found["level_accuracy"].seeds) == (90, 2)
    levels = World(150, 0).all_labels()["level"]
    majority = levels.bincount().argmax()
    assert found["level_accuracy"].chance == pytest.approx(
        float((World(90, 2).all_labels()["level"] == majority).float().mean())
    )


def test_exchanged_roles_hide_the_label_that_raw_features_tell() -> None:
    found = classification_protocol(Channels("reversed").eval(), splits(), ["level", "path"], seeds=(0,))
    assert found["level_accuracy"].value < 0.6
    assert found["level_accuracy_random_forest"].value == 1
    assert found["path_accuracy"].value == 1  # its static factor holds the motion


class Blank(Channels):
    def _encode(self, sequences: Sequences, **given: object) -> Factors:
        factors = super()._encode(sequences, generator=None)
        return Factors(torch.ones_like(factors.static), factors.dynamic)


def test_a_constant_factor_gives_the_commonest_class() -> None:
    train = Subset(World(300, 0), World(300, 0).all_labels()["level"].argsort()[60:].tolist())
    found = classification_protocol(
        Blank().eval(), Splits(train, train, World(90, 2)), ["level"], seeds=(0,)
    )["level_accuracy"]
    assert found.value == pytest.approx(found.chance)


def test_a_class_that_training_lacks_is_wrong() -> None:
    world = World(300, 0)
    known = Subset(world, (world.all_labels()["level"] < 2).nonzero().flatten().tolist())
    test_set = World(90, 2)
    seen = float((test_set.all_labels()["level"] < 2).float().mean())
    found = classification_protocol(Channels().eval(), Splits(known, known, test_set), ["level"], seeds=(0,))
    for kind in ("", "_logistic_regression", "_random_forest"):
        assert found[f"level_accuracy{kind}"].value == pytest.approx(seen)


def test_published_goes_on_with_the_head_of_the_last_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[tuple[int, Tensor, Tensor]] = []
    fit = classification.fit_head

    def spy(head: nn.Module, *given: object, **options: object) -> nn.Module:
        before = next(head.parameters()).detach().clone()
        fit(head, *given, **options)  # type: ignore[arg-type]
        states.append((id(head), before, next(head.parameters()).detach().clone()))
        return head

    monkeypatch.setattr(classification, "fit_head", spy)
    model = Channels().eval()
    classification_protocol(model, splits(), ["level"], seeds=(0, 1), mode="published")
    (first, _, after), (second, before, _) = states
    assert first == second
    assert torch.equal(after, before)
    states.clear()
    classification_protocol(model, splits(), ["level"], seeds=(0, 1))
    assert not torch.equal(states[0][2], states[1][1])


@pytest.mark.parametrize("mode", ["corrected", "published"])
def test_both_modes_keep_the_epoch_with_the_best_validation_loss(
    mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[object] = []
    fit = classification.fit_head

    def spy(head: nn.Module, *given: object, **options: object) -> nn.Module:
        kept.append(options["val"])
        return fit(head, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(classification, "fit_head", spy)
    classification_protocol(Channels().eval(), splits(), ["level"], seeds=(0,), mode=mode)
    (val,) = kept
    assert isinstance(val, tuple)
    assert torch.equal(val[1], World(50, 1).all_labels()["level"])


def test_the_interval_draws_whole_groups() -> None:
    test_set = World(90, 2)
    found = classification_protocol(
        Channels("reversed").eval(),
        Splits(World(150, 0), World(50, 1), test_set, torch.arange(90) // 30),
        ["level"],
        seeds=(0,),
    )["level_accuracy"]
    assert found.n == 3


def test_what_it_does_not_apply_to() -> None:
    with pytest.raises(InputError, match="label of these data 'colour'"):
        classification_protocol(Channels().eval(), splits(), ["colour"])
    bare = ArraySequences(torch.zeros(4, 5, 4))
    with pytest.raises(InputError, match="no label of the static factor"):
        classification_protocol(Channels().eval(), Splits(bare, bare, bare))
