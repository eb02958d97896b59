from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.analysis import encode_dataset, probe, probe_factors, probe_outcomes, probe_splits, wilson
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset, get_preset


def split(n: int, seed: int) -> tuple[Factors, dict[str, Tensor]]:
    """Who is told by ``s`` alone, what happens by the order of ``d`` alone."""
    g = torch.Generator().manual_seed(seed)
    who, what = torch.randint(3, (n,), generator=g), torch.randint(2, (n,), generator=g)
    static = torch.randn(n, 5, generator=g)
    static[:, 2] = 1e3 + 10.0 * who + torch.randn(n, generator=g)
    ramp = torch.linspace(-1, 1, 4) * (2 * what[:, None] - 1)
    dynamic = 0.1 * torch.randn(n, 4, 2, generator=g)
    dynamic[..., 0] += ramp
    return Factors(static, dynamic), {"who": who, "what": what}


def test_each_label_is_read_from_its_own_factor_and_not_from_the_other() -> None:
    (train, train_y), (test, test_y) = split(300, 0), split(200, 1)
    metrics = probe_factors(train, train_y, test, test_y)
    assert set(metrics) == {
        f"probe_{label}_from_{side}" for label in ("who", "what") for side in ("static", "dynamic")
    }
    assert metrics["probe_who_from_static"].value > 0.95
    assert metrics["probe_what_from_dynamic"].value > 0.95
    for name in ("probe_who_from_dynamic", "probe_what_from_static"):
        metric = metrics[name]
        assert metric.chance is not None
        assert abs(metric.value - metric.chance) < 0.12
        assert metric.n == 200


def test_chance_is_the_commonest_test_class_and_the_interval_wilsons() -> None:
    x, y = torch.randn(40, 3), torch.arange(40) % 2
    test_y = torch.tensor([0, 0, 0, 1])
    metric = probe(x, y, torch.randn(4, 3), test_y).estimate()
    assert metric.chance == 0.75
    assert metric.ci95 == wilson(round(metric.value * 4), 4)


def test_the_scale_of_a_feature_does_not_matter() -> None:
    (train, train_y), (test, test_y) = split(120, 2), split(80, 3)
    scale = torch.tensor([1e-6, 1e6, 1.0, 10.0, 1e3])
    plain = probe(train.static, train_y["who"], test.static, test_y["who"]).estimate()
    scaled = probe(train.static * scale, train_y["who"], test.static * scale, test_y["who"]).estimate()
    assert plain.value == pytest.approx(scaled.value, abs=0.02)


def test_a_class_absent_from_training_counts_as_wrong() -> None:
    x = torch.tensor([[0.0], [1.0]]).repeat(20, 1)
    y = torch.tensor([0, 1]).repeat(20)
    outcome = probe(x, y, torch.tensor([[0.0], [1.0], [1.0], [0.0]]), torch.tensor([0, 1, 2, 2]))
    assert outcome.right.tolist() == [True, True, False, False]
    assert outcome.estimate().value == 0.5


def test_a_training_split_of_one_class_predicts_it() -> None:
    outcome = probe(torch.randn(6, 2), torch.full((6,), 3), torch.randn(4, 2), torch.tensor([3, 3, 1, 3]))
    assert outcome.estimate().value == 0.75


def test_a_constant_feature_is_harmless() -> None:
    x = torch.cat([torch.randn(30, 1), torch.ones(30, 1)], dim=1)
    y = (x[:, 0] > 0).long()
    assert probe(x, y, x, y).estimate().value > 0.9


def test_what_cannot_be_probed_is_refused() -> None:
    x, y = torch.randn(4, 2), torch.tensor([0, 1, 0, 1])
    with pytest.raises(
        InputError, match=r"who: the test split needs features .* N ≥ 1; got \(0, 2\) and \(0,\)"
    ):
        probe(x, y, x[:0], y[:0], name="who")
    with pytest.raises(InputError, match=r"the train split needs .* got \(4, 2\) and \(3,\)"):
        probe(x, y[:3], x, y)
    with pytest.raises(InputError, match="2 features in train, 1 in test"):
        probe(x, y, x[:, :1], y)
    with pytest.raises(
        InputError, match=r"test features: 1 of 8 values are NaN or Inf, the first at index \(1, 0\)"
    ):
        probe(x, y, torch.where(torch.arange(8).view(4, 2) == 2, torch.nan, x), y)
    factors = Factors(torch.randn(4, 2), torch.randn(4, 3, 1))
    with pytest.raises(InputError, match=r"train labels \['a'\] differ from test labels \['b'\]"):
        probe_factors(factors, {"a": y}, factors, {"b": y})


def test_accuracies_are_those_of_the_outcomes() -> None:
    (train, train_y), (test, test_y) = split(120, 2), split(80, 3)
    metrics, outcomes = (f(train, train_y, test, test_y) for f in (probe_factors, probe_outcomes))
    assert set(metrics) == set(outcomes)
    for name, outcome in outcomes.items():
        assert outcome.right.shape == (80,)
        assert metrics[name].value == pytest.approx(outcome.right.double().mean().item())


def test_two_datasets_are_encoded_and_probed() -> None:
    config = get_preset("toy")
    model = build_model(config)
    train, test = (build_dataset("toy", config.data, split) for split in ("train", "test"))
    known, held_out = encode_dataset(model, train), encode_dataset(model, test)
    expected = probe_factors(known, train.all_labels(), held_out, test.all_labels())
    assert list(probe_splits(model, train, test).values()) == list(expected.values())
